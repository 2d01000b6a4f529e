#pragma once

#include "deployer/network/edge/network_namespace.h"
#include "manifests/base/result.h"
#include "manifests/documents/attachment.h"
#include "manifests/documents/fleet.h"
#include "manifests/messages/node_api.h"

namespace weir::boot_check {

/// Where everything is. Two namespaces of our own: the first stands for the router in front of the
/// gateway and for what lies behind it, the second is the client's home. Nothing here can meet
/// addresses of the host, so all are from the blocks for documentation and private use.
struct Wires {
  network::NetworkNamespace router;  ///< this process's own
  network::NetworkNamespace client;

  /// Makes the second namespace and the link between both. errors: unauthorized, kernel
  static Result<Wires> lay();

  /// Addresses and routes of the router's ends of the machine's two links.
  Status attach_node() const;
  /// Addresses, routes and state of the client's tunnel interface.
  Status raise_tunnel(const std::string& interface) const;
};

[[nodiscard]] manifests::Attachment node_attachment();
/// What the node needs to be itself; the TLS half is for the caller to fill in.
[[nodiscard]] manifests::NodeConfig node_config();
/// Where the gateway is, for the client.
[[nodiscard]] Endpoint gateway_endpoint();
/// What lies behind the gateway and answers, IPv4 and IPv6.
[[nodiscard]] std::vector<IpAddress> upstream_addresses();
/// The client's own inner addresses, at their full length.
[[nodiscard]] std::vector<Prefix> client_addresses();

}  // namespace weir::boot_check
