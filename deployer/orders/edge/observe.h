#pragma once

#include <chrono>

#include "deployer/orders/observed.h"
#include "deployer/site/edge/site.h"

namespace weir::deployer {

/// One look at director, machines and nodes, all at once. Nodes that are silent for `patience` are
/// said to be; those whose machine does not run are not asked. A site open for reading will do.
/// errors: io of the state; everything else is in what was seen
[[nodiscard]] Result<Observed> observe(Site& site, std::chrono::milliseconds patience);

}  // namespace weir::deployer
