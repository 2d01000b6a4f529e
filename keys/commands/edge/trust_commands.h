#pragma once

#include <vector>

#include "manifests/base/edge/program.h"

namespace weir::keys {

/// `weir-keys trust init`, `change`, `sign`, `show` and `verify`.
[[nodiscard]] std::vector<Command> trust_commands();

}  // namespace weir::keys
