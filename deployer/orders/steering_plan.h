#pragma once

#include "deployer/orders/observed.h"
#include "deployer/site/documents.h"
#include "deployer/steering/steering.h"

namespace weir::deployer {

/// What stands, brought to the registry: inner addresses of new peers are assigned to nodes of
/// `pool`, those of peers that are gone to nobody, and where these were it is nobody's home.
/// observed  with a readable director
[[nodiscard]] director::Intent registered_steering(const Documents& documents,
                                                   const Observed& observed, const PoolName& pool);

}  // namespace weir::deployer
