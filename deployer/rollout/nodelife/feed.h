#pragma once

#include <map>
#include <optional>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/documents/peers.h"
#include "manifests/messages/node_api.h"

namespace weir::deployer {

/// What makes one node's peers those of the registry; each list by public key.
struct NodeFeed {
  std::vector<PublicKey> add;      ///< it does not know them
  std::vector<PublicKey> change;   ///< other allowed IPs, or a preshared key where there is none
  std::vector<PublicKey> confirm;  ///< have a preshared key, which no node tells: given again
  std::vector<PublicKey> remove;   ///< the registry does not name them
  bool operator==(const NodeFeed&) const = default;
};

/// Compares what can be compared: keys, allowed IPs, and whether there is a preshared key.
///
/// probe_source  peers that hold it alone are probes that could not clean up, and nobody's clients
[[nodiscard]] NodeFeed feed_of(const std::map<PublicKey, manifests::Peer>& registry,
                               const manifests::PeerDump& dump,
                               const std::optional<IpAddress>& probe_source);

[[nodiscard]] bool is_probe(const manifests::PeerState& peer,
                            const std::optional<IpAddress>& probe_source);

}  // namespace weir::deployer
