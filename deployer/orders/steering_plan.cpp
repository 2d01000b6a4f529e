#include "deployer/orders/steering_plan.h"

#include "deployer/rollout/terms/plan.h"

namespace weir::deployer {

director::Intent registered_steering(const Documents& documents, const Observed& observed,
                                     const PoolName& pool) {
  director::Intent out = observed.director->steering;
  std::set<Prefix> registered;
  for (const auto& [key, peer] : documents.peers) {
    for (const Prefix& prefix : peer.allowed_ips) {
      registered.insert(prefix);
      out.assigned.try_emplace(prefix, node_for(key, documents.pool(pool).nodes));
    }
  }
  std::erase_if(out.assigned, [&](const auto& it) { return !registered.contains(it.first); });
  std::set<Endpoint> left, used;
  for (const auto& [node, seen] : observed.nodes) {
    if (!seen.dump) continue;
    for (const manifests::PeerState& peer : seen.dump->peers) {
      if (!peer.endpoint) continue;
      (documents.peers.contains(peer.public_key) ? used : left).insert(*peer.endpoint);
    }
  }
  std::erase_if(out.homes, [&](const auto& it) {
    return left.contains(it.first) && !used.contains(it.first);
  });
  if (out != observed.director->steering) ++out.revision;
  return out;
}

}  // namespace weir::deployer
