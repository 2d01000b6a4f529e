#pragma once

#include <string>

#include "deployer/orders/observed.h"
#include "deployer/orders/order_plan.h"
#include "keys/identity/wireguard_identity.h"

/// What an order means for the fleet's identity.
namespace weir::deployer {

/// Whether nodes will be given it: those that are booted, and those that were kept before they had
/// it.
[[nodiscard]] bool gives_identity(const PoolPlan& pool, const Observed& observed);

/// Who holds the key on its way out, in words that follow a refusal ("; node blue-1 holds the
/// outgoing key"): they tell which key clients know. Empty: nobody.
[[nodiscard]] std::string holders_of_outgoing(const keys::IdentityKeys& keys,
                                              const Observed& observed);

}  // namespace weir::deployer
