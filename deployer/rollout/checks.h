#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

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

struct PeerComparison {
  /// Peers of the old pool that the new one does not know: they will stay where they are.
  std::vector<PublicKey> only_old;
};
/// Compares registry, old pool and new pool by public key and allowed IPs.
/// errors: integrity: a node of the new pool lacks a registered peer, or has other allowed IPs for
/// it
[[nodiscard]] Result<PeerComparison> compare_peers(
    const std::map<PublicKey, manifests::Peer>& registry,
    const std::map<NodeId, std::map<PublicKey, manifests::PeerState>>& old_pool,
    const std::map<NodeId, std::map<PublicKey, manifests::PeerState>>& new_pool);

/// How far the clocks of any two nodes are apart, at most `limit`. Clients refuse initiations whose
/// time is not newer than the last one's, whichever node sent it.
/// errors: integrity, naming the two nodes
[[nodiscard]] Status check_clocks(const std::map<NodeId, std::chrono::microseconds>& ahead,
                                  std::chrono::milliseconds limit);

}  // namespace weir::deployer
