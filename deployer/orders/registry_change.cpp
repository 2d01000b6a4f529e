#include "deployer/orders/registry_change.h"

#include <algorithm>

#include "deployer/rollout/terms/reason.h"

namespace weir::deployer {
RegistryChange compare_registry(const Documents& documents, const Observed& observed) {
  RegistryChange out;
  std::optional<IpAddress> probe;
  if (documents.fleet.probe) probe = documents.fleet.probe->source;
  std::set<PublicKey> known;
  for (const auto& [node, seen] : observed.nodes) {
    if (!seen.dump) {
      if (seen.machine == pool::MachineState::running) out.unread.push_back(node);
      if (seen.machine == pool::MachineState::frozen) out.frozen.push_back(node);
      continue;
    }
    NodeFeed feed = feed_of(documents.peers, *seen.dump, probe);
    for (const manifests::PeerState& peer : seen.dump->peers) {
      if (!is_probe(peer, probe)) known.insert(peer.public_key);
    }
    out.changed.insert(feed.change.begin(), feed.change.end());
    out.nodes.emplace(node, std::move(feed));
  }
  // A node that cannot be asked may know peers that no other does: the state remembers those that
  // were clients.
  for (const auto& [key, place] : observed.clients) known.insert(key);
  for (const PublicKey& key : known) {
    if (!documents.peers.contains(key)) out.removed.insert(key);
  }
  for (const auto& [key, peer] : documents.peers) {
    if (!known.contains(key)) out.added.insert(key);
  }
  for (const auto& [key, place] : whereabouts(observed)) {
    if (out.removed.contains(key)) out.revoked.insert(key);
  }
  out.known = known.size();
  out.named = documents.peers.size();
  return out;
}

Status judge_removals(const RegistryChange& change, Permille share,
                      const AllowedRemovals& allowed) {
  const std::size_t removed = change.removed.size();
  std::size_t limit = std::max<std::size_t>(1, change.known * share.value / 1000);
  if (change.named == 0) limit = 0;
  if (allowed) limit = *allowed;
  if (removed <= limit) return {};
  std::string names;
  std::size_t count = 0;
  for (const PublicKey& key : change.removed) {
    if (++count > 3) break;
    names += (count == 1 ? "" : ", ") + key.string();
  }
  return fail_for(Code::too_many_removed, Errc::exhausted,
                  "the registry names " + std::to_string(change.known - removed) + " of " +
                      std::to_string(change.known) + " known peers: " + std::to_string(removed) +
                      " would lose their tunnels (" + names + (removed > 3 ? ", ..." : "") + "), " +
                      std::to_string(limit) +
                      (allowed ? " are allowed" : " may go unasked (policy.max_removed)") +
                      "; if that is meant, say --allow-removals " + std::to_string(removed));
}

bool is_blind(const RegistryChange& change, const std::vector<NodeId>& nodes) {
  return std::any_of(change.unread.begin(), change.unread.end(), [&](const NodeId& node) {
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
  });
}

}  // namespace weir::deployer
