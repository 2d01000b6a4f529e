#pragma once

#include <vector>

#include "keys/commands/edge/command.h"

namespace weir::keys {

/// `weir-keys sign`, `sign-digest` and `pkcs11`.
[[nodiscard]] std::vector<Command> sign_commands();

}  // namespace weir::keys
