#pragma once

#include <vector>

#include "manifests/base/edge/program.h"

namespace weir::keys {

/// `weir-keys sign`, `sign-digest`, `pkcs11` and `verify`.
[[nodiscard]] std::vector<Command> sign_commands();

}  // namespace weir::keys
