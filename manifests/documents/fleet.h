#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"
#include "manifests/documents/trust.h"

namespace weir::manifests {

/// The router in front of the pools.
struct DirectorSpec {
  std::string driver;                            ///< "nft"
  std::optional<std::string> network_namespace;  ///< as `ip netns` names it; absent: the host's own
  std::string upstream_interface;                ///< where decrypted traffic leaves to
};

/// The public address that clients send to.
struct Vip {
  std::optional<IpAddress> ipv4;
  std::optional<IpAddress> ipv6;
  std::uint16_t port = 51820;
};

/// Address blocks from which `links_of` gives every node its own links. They never overlap.
struct Fabric {
  Prefix ipv4;        ///< two addresses a node: director's, node's
  Prefix ipv6;        ///< the same
  Prefix management;  ///< IPv4, the same, on a link of its own
};

struct PoolSpec {
  PoolName name;
  std::string driver;  ///< "vm"
  std::vector<NodeId> nodes;
  ByteCount memory{512ULL << 20};  ///< of each node
  std::uint16_t cpus = 1;
  /// Rehearses a wrong clock: added to every node's clock.
  std::chrono::milliseconds clock_offset{0};
};

struct RolloutPolicy {
  Permille max_failed{0};  ///< of the active clients; more that cannot be prepared and nobody moves
  /// Of the peers that nodes know; a registry that names fewer than the rest needs a word for it.
  Permille max_removed{100};
  /// Clients a commit; more than 400 unconfirmed kicks make a node answer with cookies.
  std::uint32_t batch = 400;
  std::chrono::milliseconds prepare_timeout{20000};
  std::chrono::milliseconds commit_timeout{20000};
  std::chrono::milliseconds boot_timeout{180000};
  std::chrono::milliseconds max_clock_skew{200};
};

/// What a probe peer reaches through each new node before a client depends on it.
struct ProbeSpec {
  IpAddress target;  ///< answers ICMP echo, upstream of the pools
  IpAddress source;  ///< inner address of the probe peer, inside one of `clients`
};

/// So many of these people must have stated something about a release (docs/rebuild.md,
/// docs/boot-check.md).
struct StatementPolicy {
  std::vector<std::string> keys;  ///< minisign public key files, at least one
  std::uint32_t threshold = 1;    ///< 1 to the number of `keys`
};

/// fleet.yaml. Paths are relative to the file and are kept as written. Format: docs/fleet.md.
struct Fleet {
  FleetName name;
  std::string state;                      ///< folder of the journal, sockets and node consoles
  std::string store;                      ///< OCI layout with releases
  std::vector<std::string> trusted_keys;  ///< minisign public key files; empty with `trust`
  std::string identity;                   ///< the gateways' WireGuard identity, sealed (weir-keys)
  std::optional<std::string> identity_key_file;  ///< opens it; absent: WEIR_PASSPHRASE or a prompt
  std::string peers;                             ///< peers.jsonl
  DirectorSpec director;
  Vip vip;
  Fabric fabric;
  std::vector<Prefix> clients;  ///< inner networks; every peer's allowed IPs lie in them
  std::optional<ProbeSpec> probe;
  std::vector<PoolSpec> pools;  ///< two, blue first
  RolloutPolicy policy;
  std::optional<std::string> trust{};  ///< trust.json (docs/trust.md), in place of `trusted_keys`
  std::optional<Digest> trust_pin{};   ///< of the document of its version 1
  ChannelName channel = *ChannelName::parse("stable");  ///< which releases are for this fleet
  /// Beside what the trust's roles demand.
  std::optional<StatementPolicy> boot_check{}, rebuild{};
  /// Releases must have been searched for their builder's own keys (docs/release.md).
  bool own_keys_searched = false;
};

/// Reads and checks a fleet document: two pools, unique nodes, addresses that do not overlap.
///
/// file     how errors call the document: "fleet.yaml:12: pools[1].nodes[0]: ..."
/// errors   invalid_input, naming line and field; unknown and duplicate fields refused
[[nodiscard]] Result<Fleet> parse_fleet(std::string_view yaml,
                                        std::string_view file = "fleet.yaml");

/// How one node is attached. Everything follows from the fleet document and the node's place in it.
struct NodeLink {
  NodeId node;
  PoolName pool;
  std::uint32_t number = 0;  ///< 1, 2, ... over all pools in document order; fwmark and table base
  std::string data_interface;        ///< the director's end of the data link, "weir-d1"
  std::string management_interface;  ///< the director's end of the management link, "weir-m1"
  IpAddress director_v4, node_v4;    ///< a /31
  IpAddress director_v6, node_v6;    ///< a /127
  IpAddress director_management, node_management;  ///< a /31, IPv4
};

/// Node `number` has the pair of addresses at 2 * number in each block, the director's first.
/// errors: exhausted, where a fabric block is too small for the nodes
[[nodiscard]] Result<std::vector<NodeLink>> links_of(const Fleet& fleet);

}  // namespace weir::manifests
