#include "deployer/rollout/terms/peer_table.h"

#include <algorithm>

namespace weir::deployer {

using manifests::PeerState;

PeerTable::PeerTable(std::vector<PeerState> peers) : peers_(std::move(peers)) {
  const auto key_of = [](const PeerState& peer) -> const PublicKey& { return peer.public_key; };
  const auto not_before = [&](const PeerState& a, const PeerState& b) {
    return key_of(a) >= key_of(b);
  };
  if (std::adjacent_find(peers_.begin(), peers_.end(), not_before) == peers_.end()) return;
  std::stable_sort(peers_.begin(), peers_.end(),
                   [&](const PeerState& a, const PeerState& b) { return key_of(a) < key_of(b); });
  std::vector<PeerState> unique;
  unique.reserve(peers_.size());
  for (PeerState& peer : peers_) {
    if (!unique.empty() && key_of(unique.back()) == key_of(peer)) {
      unique.back() = std::move(peer);
    } else {
      unique.push_back(std::move(peer));
    }
  }
  peers_ = std::move(unique);
}

const PeerState* PeerTable::find(const PublicKey& key) const {
  const auto found = std::lower_bound(
      peers_.begin(), peers_.end(), key,
      [](const PeerState& peer, const PublicKey& k) { return peer.public_key < k; });
  return found == peers_.end() || found->public_key != key ? nullptr : &*found;
}

}  // namespace weir::deployer
