#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "deployer/orders/observed.h"
#include "deployer/orders/order.h"
#include "deployer/rollout/nodelife/feed.h"

namespace weir::deployer {

/// How the registry differs from what the fleet knew: its nodes, and the state where no node
/// answers.
struct RegistryChange {
  std::map<NodeId, NodeFeed> nodes;  ///< of those that gave their peers
  std::vector<NodeId> unread;        ///< run, and did not give them
  std::vector<NodeId> frozen;        ///< have peers, and cannot be asked or told
  std::set<PublicKey> added, changed, removed;
  std::set<PublicKey> revoked;  ///< of `removed`, those with a session: it ends
  std::size_t known = 0;        ///< peers that the fleet knew
  std::size_t named = 0;        ///< peers that the registry names
};

/// Compares what can be compared: keys, allowed IPs, and whether there is a preshared key. Peers
/// that hold `probe_source` alone are probes that could not clean up, and nobody's clients.
[[nodiscard]] RegistryChange compare_registry(const Documents& documents, const Observed& observed);

/// Whether so many peers may go. One may always, unless the registry is empty; more, within the
/// policy's share or as said.
/// errors: exhausted, naming some of them and what to say
[[nodiscard]] Status judge_removals(const RegistryChange& change, Permille share,
                                    const AllowedRemovals& allowed);

/// Whether one of `nodes` runs and did not say whom it knows: how many of its peers the registry
/// lacks is not known then, so none may be taken from it.
[[nodiscard]] bool is_blind(const RegistryChange& change, const std::vector<NodeId>& nodes);

}  // namespace weir::deployer
