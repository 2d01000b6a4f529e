#include "deployer/rollout/nodelife/feed.h"

#include <algorithm>

namespace weir::deployer {
namespace {

std::vector<Prefix> sorted(std::vector<Prefix> prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  return prefixes;
}

}  // namespace

Status check_held_key(const manifests::NodeIdentity& node, const keys::IdentityKeys& fleet) {
  const auto& epochs = fleet.oldest_first();
  if (!node.wireguard_key ||
      std::find(epochs.begin(), epochs.end(), *node.wireguard_key) != epochs.end()) {
    return {};
  }
  return fail(Errc::integrity, "node " + node.node.string() + " holds another identity (" +
                                   node.wireguard_key->string() + ") than the fleet's");
}

bool is_probe(const manifests::PeerState& peer, const std::optional<IpAddress>& probe_source) {
  if (!probe_source) return false;
  const auto length = static_cast<std::uint8_t>(probe_source->is_v4() ? 32 : 128);
  return peer.allowed_ips == std::vector<Prefix>{{*probe_source, length}};
}

NodeFeed feed_of(const std::map<PublicKey, manifests::Peer>& registry,
                 const manifests::PeerDump& dump, const std::optional<IpAddress>& probe_source) {
  NodeFeed out;
  std::map<PublicKey, const manifests::PeerState*> there;
  for (const manifests::PeerState& peer : dump.peers) {
    there.emplace(peer.public_key, &peer);
    if (!registry.contains(peer.public_key) && !is_probe(peer, probe_source)) {
      out.remove.push_back(peer.public_key);
    }
  }
  for (const auto& [key, peer] : registry) {
    const auto found = there.find(key);
    if (found == there.end()) {
      out.add.push_back(key);
    } else if (sorted(found->second->allowed_ips) != sorted(peer.allowed_ips) ||
               found->second->has_preshared_key != peer.preshared_key_file.has_value()) {
      out.change.push_back(key);
    } else if (peer.preshared_key_file) {
      out.confirm.push_back(key);
    }
  }
  return out;
}

}  // namespace weir::deployer
