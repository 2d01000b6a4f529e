#include "deployer/orders/observed.h"

#include "deployer/rollout/terms/reason.h"

namespace weir::deployer {

bool is_own_steering(director::Maker maker, const Past& past) {
  switch (maker) {
    case director::Maker::us:
      return true;
    case director::Maker::other:
      return false;
    case director::Maker::unknown:
      break;
  }
  const bool up = !past.machines.empty() || !past.pools.empty() || past.active.has_value();
  return up || (!past.rollouts.empty() && !past.rollouts.front().finished);
}

std::string foreign_steering(const Documents& documents) {
  const auto& space = documents.director().network_namespace;
  const std::string where = space ? "network namespace " + *space : "this host";
  const std::string nft = space ? "ip netns exec " + *space + " nft" : "nft";
  return "the steering of " + where +
         " is not this fleet's: it was not made from the state folder " +
         documents.path(documents.fleet.state) +
         "; name the fleet that made it with --fleet, or, where that one's state is lost, end its "
         "machines and remove its tables (`" +
         nft +
         " delete table inet weir`, the same with ip and "
         "ip6)";
}

std::string naming_trouble(const Documents& documents, const Observed& observed) {
  const std::string way_on =
      ": name it so again, or take the fleet down first (`weir-deployer down`)";
  const std::string named = documents.director().network_namespace.value_or("");
  if (observed.steered && *observed.steered != named) {
    const auto shown = [](const std::string& space) {
      return space.empty() ? std::string("the host's network") : "network namespace " + space;
    };
    return "director.network_namespace: the fleet is up in " + shown(*observed.steered) +
           ", and this is " + shown(named) + way_on;
  }
  for (const auto& [pool, stored] : observed.pools) {
    if (const Status there = documents.check_pool(pool); !there) {
      return "release " + stored.release.string() + " was booted on pool " + pool.string() +
             ", and " + there.error().message + way_on;
    }
    for (const NodeId& node : stored.nodes) {
      const PoolName* other = documents.pool_of(node);
      if (other == nullptr || *other == pool) continue;
      return "node " + node.string() + " was booted in pool " + pool.string() +
             ", and the fleet has it in pool " + other->string() + way_on;
    }
  }
  if (!observed.director) return {};
  const NodeId* first = nullptr;
  const PoolName* pool = nullptr;
  for (const director::Bucket& bucket : observed.director->steering.active) {
    const PoolName* other = documents.pool_of(bucket.node);
    if (other == nullptr) continue;
    if (pool != nullptr && *other != *pool) {
      return "nodes " + first->string() + " and " + bucket.node.string() +
             " serve together, and the fleet has them in pools " + pool->string() + " and " +
             other->string() + way_on;
    }
    first = &bucket.node;
    pool = other;
  }
  return {};
}

Result<PoolName> active_pool(const Documents& documents, const Observed& observed) {
  if (!observed.director_trouble.empty()) {
    return fail_for(Code::director_failed, Errc::integrity,
                    "director: " + observed.director_trouble);
  }
  if (!observed.installed || !observed.director) {
    return fail_for(Code::not_up, Errc::not_found,
                    "fleet " + documents.fleet.name.string() +
                        " is not up; start it with `weir-deployer up --release NAME`");
  }
  for (const director::Bucket& bucket : observed.director->steering.active) {
    if (const PoolName* pool = documents.pool_of(bucket.node)) return *pool;
  }
  return fail_for(Code::document_differs, Errc::integrity,
                  "director: no node of this fleet is active in it");
}

const StoredRollout* unfinished_rollout(const Observed& observed) {
  return observed.newest && !observed.newest->finished ? &*observed.newest : nullptr;
}

bool is_silent(const Observed& observed, const NodeId& node) {
  const auto seen = observed.nodes.find(node);
  return seen != observed.nodes.end() && !seen->second.dump;
}

std::map<PublicKey, Whereabouts> whereabouts(const Observed& observed) {
  std::map<NodeId, manifests::PeerDump> dumps;
  for (const auto& [node, seen] : observed.nodes) {
    if (seen.dump) dumps.emplace(node, *seen.dump);
  }
  auto out = whereabouts(dumps, observed.director);
  if (!observed.director) return out;
  for (auto& [_, place] : out) {
    if (!place.home || !is_silent(observed, *place.home)) continue;
    place.node = *place.home;
    place.age = std::nullopt;
  }
  for (const auto& [key, known] : observed.clients) {
    if (out.contains(key) || !is_silent(observed, known.node)) continue;
    if (home_of(*observed.director, known.endpoint) != known.node) continue;
    out.emplace(key, Whereabouts{known.node, known.endpoint, {}, known.node});
  }
  return out;
}

}  // namespace weir::deployer
