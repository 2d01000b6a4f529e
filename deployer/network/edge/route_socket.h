#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deployer/network/edge/network_namespace.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"

namespace weir::network {

/// A route; all absent optionals are left to the kernel.
struct Route {
  Prefix destination;  ///< length 0: default
  std::string interface;
  std::optional<IpAddress> gateway;
  std::optional<IpAddress> source;  ///< preferred source (`src`)
  std::uint32_t table = 254;        ///< RT_TABLE_MAIN
};

/// A policy routing rule that looks up `table`.
struct Rule {
  bool ipv6 = false;
  std::uint32_t priority = 0;
  std::uint32_t table = 0;
  std::optional<std::uint32_t> mark;
  std::optional<std::string> incoming_interface;  ///< "lo": what this host itself sends
  std::optional<Prefix> destination;
};

/// rtnetlink (linux/rtnetlink.h) over libmnl: links, addresses, routes and rules of one namespace.
/// Setters are idempotent: what is already so is not an error.
class RouteSocket {
 public:
  static Result<RouteSocket> open(const NetworkNamespace& where);
  RouteSocket(RouteSocket&&) noexcept;
  RouteSocket& operator=(RouteSocket&&) noexcept;
  ~RouteSocket();

  Status set_link_up(const std::string& interface, std::optional<std::uint32_t> mtu = {});
  Status add_link(const std::string& interface, const std::string& kind);  ///< e.g. "wireguard"
  /// A pair of Ethernet interfaces, the second one in another namespace.
  Status add_veth(const std::string& interface, const std::string& peer,
                  const NetworkNamespace& peer_namespace);
  Result<bool> has_link(const std::string& interface);
  /// The link whose Ethernet address is `mac` ("52:54:00:…"). errors: not_found
  Result<std::string> link_with_mac(const std::string& mac);
  Status add_address(const std::string& interface, const IpAddress& address, std::uint8_t length);
  Status delete_address(const std::string& interface, const IpAddress& address,
                        std::uint8_t length);  ///< absent is fine
  Status put_route(const Route& route);        ///< adds or replaces
  Status delete_route(const Route& route);     ///< absent is fine
  Status put_rule(const Rule& rule);
  Status delete_rule(const Rule& rule);  ///< absent is fine

 private:
  struct State;
  explicit RouteSocket(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::network
