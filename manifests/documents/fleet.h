#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"
#include "manifests/documents/fleet_policy.h"
#include "manifests/documents/trust.h"

namespace weir::manifests {

/// The public address that clients send to.
struct Vip {
  std::optional<IpAddress> ipv4;
  std::optional<IpAddress> ipv6;
  std::uint16_t port = 51820;
};

/// Address blocks out of which a director's links to nodes are numbered. No two of a fleet overlap.
struct Fabric {
  Prefix ipv4;        ///< two addresses a node: director's, node's
  Prefix ipv6;        ///< the same
  Prefix management;  ///< IPv4, the same, on a link of its own
};

/// A router in front of the pools, with links of its own to every node.
struct DirectorSpec {
  DirectorId name;
  std::string driver;                            ///< "nft"
  std::optional<std::string> network_namespace;  ///< as `ip netns` names it; absent: the host's own
  std::string upstream_interface;                ///< where decrypted traffic leaves to
  Fabric fabric;
};

struct PoolSpec {
  PoolName name;
  std::string driver;  ///< "vm"
  std::vector<NodeId> nodes;
  ByteCount memory{512ULL << 20};  ///< of each node
  std::uint16_t cpus = 1;
  /// Rehearses a wrong clock: added to every node's clock.
  std::chrono::milliseconds clock_offset{0};
  /// What services of the nodes get, by the names that images call it by; "{node}" in a path is the
  /// node's name.
  std::map<std::string, std::string> files{};
};

/// A path of `PoolSpec::files` for one node.
[[nodiscard]] std::string node_file_path(std::string_view path, const NodeId& node);

/// What a probe peer reaches through each new node before a client depends on it.
struct ProbeSpec {
  IpAddress target;  ///< answers ICMP echo, upstream of the pools
  IpAddress source;  ///< inner address of the probe peer, inside one of `clients`
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
  std::vector<DirectorSpec> directors;           ///< at least one, names differ
  Vip vip;
  std::vector<Prefix> clients;  ///< inner networks; every peer's allowed IPs lie in them
  std::optional<ProbeSpec> probe;
  std::vector<PoolSpec> pools;  ///< two or more, names differ; the first serves first
  RolloutPolicy policy;
  std::optional<std::string> trust{};  ///< trust.json (docs/trust.md), in place of `trusted_keys`
  std::optional<Digest> trust_pin{};   ///< of the document of its version 1
  ChannelName channel = *ChannelName::parse("stable");  ///< which releases are for this fleet
  /// Beside what the trust's roles demand.
  std::optional<StatementPolicy> boot_check{}, rebuild{};
  /// Releases must have been searched for their builder's own keys (docs/release.md).
  bool own_keys_searched = false;
  /// Where it names files: "fleet.yaml:4: trusted_keys[0]", by "trusted_keys[0]".
  std::map<std::string, std::string> named_at{};

  /// The same for errors; the field alone where no document was parsed.
  [[nodiscard]] std::string where_named(const std::string& field) const;
};

/// Reads and checks a fleet document: one director, pools and nodes of different names, addresses
/// that do not overlap.
///
/// file     how errors call the document: "fleet.yaml:12: pools[1].nodes[0]: ..."
/// errors   invalid_input, naming line and field; unknown and duplicate fields refused
[[nodiscard]] Result<Fleet> parse_fleet(std::string_view yaml,
                                        std::string_view file = "fleet.yaml");

}  // namespace weir::manifests
