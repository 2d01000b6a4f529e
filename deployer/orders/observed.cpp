#include "deployer/orders/observed.h"

namespace weir::deployer {

Result<PoolName> active_pool(const Documents& documents, const Observed& observed) {
  if (!observed.director_trouble.empty()) {
    return fail(Errc::integrity, "director: " + observed.director_trouble);
  }
  if (!observed.installed || !observed.director) {
    return fail(Errc::not_found, "fleet " + documents.fleet.name.string() +
                                     " is not up; start it with `weir-deployer up --release NAME`");
  }
  for (const director::Bucket& bucket : observed.director->steering.active) {
    if (const PoolName* pool = documents.pool_of(bucket.node)) return *pool;
  }
  return fail(Errc::integrity, "director: no node of this fleet is active in it");
}

const StoredRollout* unfinished_rollout(const Observed& observed) {
  return observed.newest && !observed.newest->finished ? &*observed.newest : nullptr;
}

std::map<PublicKey, Whereabouts> whereabouts(const Observed& observed) {
  std::map<NodeId, manifests::PeerDump> dumps;
  for (const auto& [node, seen] : observed.nodes) {
    if (seen.dump) dumps.emplace(node, *seen.dump);
  }
  return whereabouts(dumps, observed.director);
}

}  // namespace weir::deployer
