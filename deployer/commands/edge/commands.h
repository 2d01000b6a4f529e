#pragma once

#include <atomic>

#include "manifests/base/edge/program.h"

namespace weir::deployer {

/// What `weir-deployer` can be told.
/// interrupted  set from elsewhere, by a signal: orders are then ended in order
[[nodiscard]] CommandTable command_table(const std::atomic<bool>& interrupted);

}  // namespace weir::deployer
