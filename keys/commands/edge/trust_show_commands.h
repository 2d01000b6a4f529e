#pragma once

#include <vector>

#include "manifests/base/edge/program.h"

namespace weir::keys {

/// `weir-keys trust show` and `verify`: those that change no trust file.
[[nodiscard]] std::vector<Command> trust_show_commands();

}  // namespace weir::keys
