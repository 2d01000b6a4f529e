#pragma once

#include <map>
#include <optional>
#include <vector>

#include "keys/identity/wireguard_identity.h"
#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/documents/peers.h"
#include "manifests/messages/node_api.h"

namespace weir::deployer {

/// Whether the key that a node holds, if it holds one, is the fleet's: one of its epochs. That is
/// the outgoing one where the identity got a second after the node was given it. errors: integrity:
/// another's, naming node and key
[[nodiscard]] Status check_held_key(const manifests::NodeIdentity& node,
                                    const keys::IdentityKeys& fleet);

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
