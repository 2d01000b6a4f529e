#pragma once

#include "deployer/orders/edge/site.h"
#include "deployer/serve/status_report.h"

namespace weir::deployer {

/// Reads director, machines and nodes, all at once; nodes that are silent for `patience` are said
/// to be. A site open for reading will do. errors: io of the state file; everything else is in the
/// report
Result<StatusReport> read_status(Site& site, std::chrono::milliseconds patience);

}  // namespace weir::deployer
