#pragma once

#include <string>
#include <vector>

#include "manifests/documents/service_terms.h"
#include "manifests/messages/node_api.h"

namespace weir::node {

/// Which interface is which on a node.
struct NodeInterfaces {
  std::string data, management;
  std::string wireguard = "wg0";
};

/// nftables text that replaces table `inet weir_node`: what may enter the node and pass through it.
///
/// Nothing out of the tunnel is for the node itself, so neither its API nor its addresses can be
/// reached from there, whatever an inner packet says. Only data -> tunnel and tunnel -> data pass,
/// and from the tunnel nothing passes to the node's links or the VIPs.
///
/// open     ports of services, on the management link, for the director
[[nodiscard]] std::string fence_rules(const manifests::NodeConfig& config,
                                      const NodeInterfaces& interfaces,
                                      const std::vector<manifests::OpenPort>& open = {});

}  // namespace weir::node
