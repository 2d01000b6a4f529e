#include "deployer/orders/identity_plan.h"

#include <algorithm>

namespace weir::deployer {

bool gives_identity(const PoolPlan& pool, const Observed& observed) {
  return !pool.boot.empty() ||
         std::any_of(pool.keep.begin(), pool.keep.end(), [&](const NodeId& node) {
           return !observed.nodes.at(node).identity->wireguard_key;
         });
}

std::string holders_of_outgoing(const keys::IdentityKeys& keys, const Observed& observed) {
  std::string names;
  std::size_t count = 0;
  for (const auto& [node, seen] : observed.nodes) {
    if (keys.outgoing() == nullptr || !seen.identity ||
        seen.identity->wireguard_key != *keys.outgoing()) {
      continue;
    }
    names += (names.empty() ? "" : ", ") + node.string();
    ++count;
  }
  if (count == 0) return {};
  return count == 1 ? "; node " + names + " holds the outgoing key"
                    : "; nodes " + names + " hold the outgoing key";
}

}  // namespace weir::deployer
