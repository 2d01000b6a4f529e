#pragma once

#include <vector>

#include "manifests/base/edge/program.h"

namespace weir::keys {

/// `weir-keys generate`, `generate-wireguard` and `public`.
[[nodiscard]] std::vector<Command> key_commands();

}  // namespace weir::keys
