#pragma once

#include <atomic>

#include "manifests/base/edge/program.h"

namespace weir::deployer {

/// `weir-deployer logs`: what a node said, or one of its services.
[[nodiscard]] weir::Command logs_command(const std::atomic<bool>& interrupted);

}  // namespace weir::deployer
