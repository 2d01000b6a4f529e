#pragma once

#include <vector>

#include "keys/commands/edge/command.h"

namespace weir::keys {

/// `weir-keys trust init`, `change`, `sign`, `show` and `verify`.
[[nodiscard]] std::vector<Command> trust_commands();

}  // namespace weir::keys
