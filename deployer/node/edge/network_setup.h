#pragma once

#include <memory>

#include "deployer/node/edge/node_log.h"
#include "deployer/node/fence_rules.h"
#include "manifests/base/result.h"
#include "manifests/messages/node_api.h"

namespace weir::node {

/// Makes the node's network what its configuration says; what is so already stays untouched, so a
/// restarted agent disturbs no traffic. The fences stand before the first packet can pass.
///
/// Two rules keep a node from sending out of the tunnel what came out of it: what arrives from wg0
/// looks up a table that knows nothing but the director, and only what arrives on the data link
/// looks up the one that leads to the clients.
///
/// open     ports of services
/// errors   not_found: no link with a MAC of the configuration within 10 s; kernel
/// returns  the names of the links
[[nodiscard]] Result<NodeInterfaces> set_up_network(const manifests::NodeConfig& config,
                                                    const std::vector<manifests::OpenPort>& open);

}  // namespace weir::node
