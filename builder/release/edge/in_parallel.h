#pragma once

#include <cstddef>
#include <functional>

#include "manifests/base/result.h"

namespace weir::builder {

/// Runs `work` for 0 to count-1 on as many threads as the machine has processors; the first failure
/// stops what has not begun.
[[nodiscard]] Status in_parallel(std::size_t count, const std::function<Status(std::size_t)>& work);

}  // namespace weir::builder
