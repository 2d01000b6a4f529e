#pragma once

#include "manifests/base/edge/program.h"

namespace weir::builder {

/// `weir-builder init`: writes a first image manifest from options, or from answers at a terminal;
/// never over a file that is there.
[[nodiscard]] Command init_command();

}  // namespace weir::builder
