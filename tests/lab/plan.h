#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifests/base/net.h"
#include "manifests/base/result.h"

/// The laboratory: a small internet of network namespaces, a director in front of the pools, a host
/// upstream of them, and WireGuard clients in userspace. For the demo, the tests and the benchmark.
///
///   client ── net ── director ── upstream        net      the internet between clients and
///   director client ── nat ── net                         nat      a home router that masquerades
namespace weir::lab {

using Argv = std::vector<std::string>;

/// One WireGuard client in a namespace of its own.
struct ClientPlan {
  std::string name;  ///< for people: "plain", "ipv6", "nat", ...
  std::string netns;
  std::string interface;  ///< unique on the machine: wireguard-go's sockets share one folder
  Endpoint gateway;       ///< where it sends to
  IpAddress seen_from = IpAddress::v4({});  ///< its outer address as the director sees it
  std::vector<Prefix> inner;                ///< its own addresses, IPv4 first
  std::vector<Prefix> reachable;            ///< what it sends into the tunnel
  bool preshared_key = false;
  bool keepalive = false;  ///< behind a NAT
  bool spare = false;      ///< a peer for a person's own client: connected, but nothing runs in it
  bool control = false;    ///< talks to a server that is never moved, over the same director
};

struct LabPlan {
  std::string name;  ///< prefix of every namespace and interface; at most 8 of [a-z0-9]
  std::string director_netns, net_netns, upstream_netns;
  Endpoint vip_v4, vip_v6;
  IpAddress upstream_v4, upstream_v6;
  IpAddress control_server;       ///< inner address behind the control tunnel
  std::string control_interface;  ///< the control server's, in the upstream namespace
  std::uint16_t control_port = 0;
  std::vector<ClientPlan> clients;
  std::vector<std::string> namespaces;  ///< all of them, to be removed in this order
  std::vector<Argv> commands;           ///< build the namespaces and links, in order
};

/// Clients: plain, ipv6, nat, talker, control, `extra` more like plain (extra-1, ...), and four
/// spares. errors: invalid_input, for a name that would not fit into interface names
[[nodiscard]] Result<LabPlan> plan_lab(const std::string& name, unsigned extra);

[[nodiscard]] const ClientPlan* find_client(const LabPlan& plan, const std::string& name);

struct FleetFiles {
  std::string store, trusted_key, identity, identity_key_file, peers, state;
};
struct FleetOptions {
  unsigned nodes = 1;                ///< of each pool
  std::string policy{};              ///< lines of the policy, "max_failed: 60%"
  std::string green_clock_offset{};  ///< "-5s"; empty: none
  bool amber = false;                ///< a third pool, behind blue and green
};
/// The fleet document of a lab. source: docs/fleet.md
[[nodiscard]] std::string fleet_yaml(const LabPlan& plan, const FleetFiles& files,
                                     const FleetOptions& options);

/// What `wg setconf` takes, or with `addresses` what wg-quick takes.
struct ClientKeys {
  std::string private_key, public_key, preshared_key;  ///< base64; the last may be empty
};
[[nodiscard]] std::string client_configuration(const ClientPlan& client, const ClientKeys& keys,
                                               const std::string& gateway_key, bool addresses);

}  // namespace weir::lab
