#pragma once

#include <atomic>

#include "manifests/base/edge/program.h"

namespace weir::deployer {

/// `weir-deployer init`: writes a first fleet document and its peers from options, or from answers
/// at a terminal; never over a file that is there.
[[nodiscard]] weir::Command init_command(const std::atomic<bool>& interrupted);

}  // namespace weir::deployer
