#pragma once

#include "manifests/base/result.h"

namespace weir::builder {

/// Loads libcurl unless it is loaded; before the first of its functions is called.
///
/// errors  not_found: it cannot be loaded, and why
[[nodiscard]] Status require_curl();

}  // namespace weir::builder
