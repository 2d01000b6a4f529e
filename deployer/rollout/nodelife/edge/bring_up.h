#pragma once

#include "deployer/rollout/nodelife/edge/pools.h"
#include "deployer/rollout/terms/commands.h"
#include "deployer/site/edge/site.h"

namespace weir::deployer {

/// Whether a command is one by which nodes that run come to life: identities, clocks, feeding, the
/// probe, and what the director forgets.
[[nodiscard]] bool brings_up(const Command& command);

/// Performs such a command; `echo` is the caller's to fill in.
[[nodiscard]] Event bring_up(Site& site, const Command& command, Removals removals);

/// Leads a node that was booted again the way that rollouts lead those that they boot
/// (`nodelife`), but for the probe, and for other nodes' clocks: who is wrong there holds up none.
/// errors: what stopped it, and whose it is
Status revive(Site& site, const NodeId& node);

}  // namespace weir::deployer
