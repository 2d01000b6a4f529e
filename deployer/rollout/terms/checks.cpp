#include "deployer/rollout/terms/checks.h"

#include <algorithm>
#include <cstdio>

#include "manifests/documents/attested_facts.h"

namespace weir::deployer {
namespace {

std::vector<Prefix> in_order(std::vector<Prefix> prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  return prefixes;
}

}  // namespace

Status check_identity(const manifests::Release& release, const manifests::NodeIdentity& identity) {
  const auto found = manifests::differences(release, manifests::facts_of(identity));
  if (found.empty()) return {};
  return fail(Errc::integrity, "node " + identity.node.string() + " " + print(found.front()));
}

Status check_peers(const std::map<PublicKey, manifests::Peer>& registry, const NodeId& node,
                   const PeerTable& peers) {
  for (const auto& [key, peer] : registry) {
    const auto who = [&k = key, &p = peer] { return p.name.empty() ? k.string() : p.name; };
    const manifests::PeerState* found = peers.find(key);
    if (found == nullptr) {
      return fail(Errc::integrity, "node " + node.string() + " does not know peer " + who() +
                                       " although it was given to it");
    }
    if (found->allowed_ips != peer.allowed_ips &&
        in_order(found->allowed_ips) != in_order(peer.allowed_ips)) {
      return fail(Errc::integrity, "node " + node.string() + " has other allowed IPs for peer " +
                                       who() + " than the registry");
    }
  }
  return {};
}

Status check_clocks(const std::map<NodeId, std::chrono::microseconds>& ahead,
                    std::chrono::milliseconds limit) {
  if (ahead.empty()) return {};
  const auto [low, high] = std::minmax_element(
      ahead.begin(), ahead.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto skew = high->second - low->second;
  if (skew <= limit) return {};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(skew).count();
  return fail(Errc::integrity, "the clock of node " + low->first.string() + " is " +
                                   std::to_string(ms) + " ms behind that of node " +
                                   high->first.string() + " (policy.max_clock_skew is " +
                                   std::to_string(limit.count()) +
                                   " ms): clients would refuse its handshakes as replays");
}

}  // namespace weir::deployer
