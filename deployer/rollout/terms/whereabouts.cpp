#include "deployer/rollout/terms/whereabouts.h"

#include <tuple>

#include "deployer/rollout/terms/plan.h"

namespace weir::deployer {
namespace {

/// A response and the smallest data packet: less was received by a node whose session is unused.
constexpr std::uint64_t kUsed = 92 + 32;

}  // namespace

std::optional<NodeId> home_of(const director::Observed& observed, const Endpoint& client) {
  const auto ordered = observed.steering.homes.find(client);
  if (ordered != observed.steering.homes.end()) return ordered->second;
  const auto learned = observed.learned.homes.find(client);
  if (learned != observed.learned.homes.end()) return learned->second;
  return std::nullopt;
}

std::map<PublicKey, Whereabouts> whereabouts(const std::map<NodeId, manifests::PeerDump>& dumps,
                                             const std::optional<director::Observed>& observed) {
  std::map<PublicKey, Whereabouts> out;
  // Used before unused, at home before elsewhere, then the newest.
  std::map<PublicKey, std::tuple<bool, bool, std::chrono::nanoseconds>> best;
  for (const auto& [node, dump] : dumps) {
    for (const manifests::PeerState& peer : dump.peers) {
      if (!peer.endpoint || peer.last_handshake_unix_ns == 0) continue;
      const std::chrono::nanoseconds age(dump.clock_unix_ns - peer.last_handshake_unix_ns);
      if (age >= kSessionLife) continue;
      const auto home = observed ? home_of(*observed, *peer.endpoint) : std::nullopt;
      const std::tuple rank(peer.rx_bytes >= kUsed, home == node, -age);
      const auto before = best.find(peer.public_key);
      if (before != best.end() && before->second >= rank) continue;
      best.insert_or_assign(peer.public_key, rank);
      out.insert_or_assign(
          peer.public_key,
          Whereabouts{node, *peer.endpoint, std::chrono::duration_cast<std::chrono::seconds>(age),
                      home});
    }
  }
  return out;
}

}  // namespace weir::deployer
