#pragma once

#include <vector>

#include "manifests/messages/node_api.h"

namespace weir::deployer {

/// The peers of one node, by public key. Made from a dump at a cost that grows with the dump; a
/// dump that is in order, as nodes send it, is taken as it is.
class PeerTable {
 public:
  PeerTable() = default;
  /// Of peers that stand twice the last one counts.
  explicit PeerTable(std::vector<manifests::PeerState> peers);

  /// Null where the node does not know the key.
  [[nodiscard]] const manifests::PeerState* find(const PublicKey& key) const;
  [[nodiscard]] auto begin() const { return peers_.begin(); }
  [[nodiscard]] auto end() const { return peers_.end(); }
  [[nodiscard]] std::size_t size() const { return peers_.size(); }
  bool operator==(const PeerTable&) const = default;

 private:
  std::vector<manifests::PeerState> peers_;
};

}  // namespace weir::deployer
