#pragma once

#include <optional>

#include "deployer/orders/edge/site.h"
#include "deployer/rollout/terms/plan.h"

namespace weir::deployer {

/// The pool that new clients go to, read from the director. errors: not_found: nothing is up
Result<PoolName> active_pool(Site& site);
/// The newest rollout, where it was not brought to an end.
Result<std::optional<StoredRollout>> unfinished_rollout(Site& site);

/// errors  busy: another rollout has to be finished first, saying how
Result<Plan> make_deploy_plan(Site& site, const manifests::Release& release, bool strict);
/// errors  not_found: there is nothing to go back to
Result<Plan> make_rollback_plan(Site& site);
/// Back from where `plan` went.
Result<Plan> make_return_plan(Site& site, const Plan& plan);

}  // namespace weir::deployer
