#pragma once

#include <chrono>
#include <map>
#include <optional>

#include "deployer/steering/steering.h"
#include "manifests/messages/node_api.h"

namespace weir::deployer {

/// Where one client's tunnel is, as the data plane shows it.
struct Whereabouts {
  NodeId node;  ///< whose session the client uses
  Endpoint endpoint;
  /// Of that session's handshake, by the node's own clock; absent: the node cannot be asked.
  std::optional<std::chrono::seconds> age;
  std::optional<NodeId> home;  ///< who may initiate to it; usually `node`
};

/// The home that the director has for an address: ordered, or else learned.
[[nodiscard]] std::optional<NodeId> home_of(const director::Observed& observed,
                                            const Endpoint& client);

/// Finds every client with a session (handshake within 180 s).
///
/// dumps     of all nodes that answer
/// observed  absent where the director cannot be read
/// returns   the node at home, where the client's data reaches it. A session that never received
/// more
///           than its handshake is only prepared: then it is the node with the newest one that did
[[nodiscard]] std::map<PublicKey, Whereabouts> whereabouts(
    const std::map<NodeId, manifests::PeerDump>& dumps,
    const std::optional<director::Observed>& observed);

}  // namespace weir::deployer
