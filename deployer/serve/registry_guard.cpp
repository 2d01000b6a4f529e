#include "deployer/serve/registry_guard.h"

#include "deployer/orders/registry_change.h"

namespace weir::deployer {

Status judge_registry(const Documents& documents, const Observed& observed,
                      const std::set<PublicKey>& former) {
  RegistryChange change = compare_registry(documents, observed);
  if (change.nodes.empty() || !change.unread.empty()) {
    for (const PublicKey& key : former) {
      const bool news = documents.peers.contains(key) ? change.added.erase(key) != 0
                                                      : change.removed.insert(key).second;
      if (news) ++change.known;
    }
  }
  TRY_IN(judge_removals(change, documents.fleet.policy.max_removed, {}),
         documents.path(documents.fleet.peers));
  return {};
}

}  // namespace weir::deployer
