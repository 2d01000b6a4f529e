#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "deployer/rollout/terms/peer_table.h"
#include "manifests/base/result.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/peers.h"
#include "manifests/documents/release.h"
#include "manifests/messages/node_api.h"

namespace weir::deployer {

/// Compares what a node says it is with the release it was booted from: lock digest, kernel release
/// and build id, pinned modules (version, srcversion, build id), tools. errors: integrity, naming
/// node, fact, and both values
[[nodiscard]] Status check_identity(const manifests::Release& release,
                                    const manifests::NodeIdentity& identity);

/// Compares a node's peers with the registry by public key and allowed IPs.
/// errors: integrity: the node lacks a registered peer, or has other allowed IPs for it
[[nodiscard]] Status check_peers(const std::map<PublicKey, manifests::Peer>& registry,
                                 const NodeId& node, const PeerTable& peers);

/// How far the clocks of any two nodes are apart, at most `limit`. Clients refuse initiations whose
/// time is not newer than the last one's, whichever node sent it.
/// errors: integrity, naming the two nodes
[[nodiscard]] Status check_clocks(const std::map<NodeId, std::chrono::microseconds>& ahead,
                                  std::chrono::milliseconds limit);

}  // namespace weir::deployer
