#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"
#include "manifests/documents/attachment.h"

namespace weir::director {

/// What does not change while a fleet runs: who is attached where.
struct Topology {
  manifests::Vip vip;
  /// Of all pools; `number` is the fwmark and the routing table.
  std::vector<manifests::Attachment> nodes;
  std::vector<Prefix> clients;  ///< inner networks
  std::string upstream_interface;
  std::vector<Prefix> fenced;        ///< no inner packet may go there: fabric, management, VIPs
  std::uint32_t expected_peers = 0;  ///< learning maps hold four times as many
};

/// A client at an address, and the node a right concerns.
struct Grant {
  NodeId node;
  Endpoint client;
  auto operator<=>(const Grant&) const = default;
};

/// A node's part of the clients that have no home yet.
struct Bucket {
  NodeId node;
  std::uint32_t weight = 1;  ///< not 0; clients are spread in proportion
  Bucket(NodeId node_id, std::uint32_t share = 1) : node(std::move(node_id)), weight(share) {}
  auto operator<=>(const Bucket&) const = default;
};
[[nodiscard]] std::vector<Bucket> equal_weights(const std::vector<NodeId>& nodes);
/// Every node as often as its weight says, in order; and back, where runs of one node are one
/// bucket.
[[nodiscard]] std::vector<NodeId> slots_of(const std::vector<Bucket>& active);
[[nodiscard]] std::vector<Bucket> buckets_of(const std::vector<NodeId>& slots);
[[nodiscard]] bool serves(const std::vector<Bucket>& active, const NodeId& node);

/// What the deployer wants of steering. The other half, what packets taught, is the director's own
/// (`Learned`). A value: compare, edit and print it; nothing in it is live.
struct Intent {
  std::uint64_t revision = 0;  ///< grows by one with every change
  std::vector<Bucket> active;  ///< clients without a home are hashed over these, in this order
  std::map<Endpoint, NodeId> homes;  ///< who answers a client's initiations, and may initiate to it
  std::set<Grant> kicks;             ///< may initiate to the client although not its home
  std::set<Grant> holds;             ///< the node's data packets to the client are dropped
  std::map<Prefix, NodeId> assigned;  ///< inner addresses nothing was learned about yet
  bool operator==(const Intent&) const = default;
};

/// What turns one revision into the next. Sent instead of the whole, and refused by a director
/// unless it has applied `from`.
struct Delta {
  std::uint64_t from = 0, to = 0;
  std::optional<std::vector<Bucket>> active{};
  std::map<Endpoint, std::optional<NodeId>> homes{};  ///< nullopt: forget
  std::map<Grant, bool> kicks{}, holds{};             ///< true: grant
  std::map<Prefix, std::optional<NodeId>> assigned{};
  bool operator==(const Delta&) const = default;
};

/// Changes `intent` in place; costs what the delta says, not what the intent holds.
/// errors: invalid_input, when `delta.from` is not `intent.revision`; then nothing was changed
[[nodiscard]] Status apply(Intent& intent, const Delta& delta);

/// What packets taught, read back. Indices are the 32-bit receiver indices in host order as they
/// stand on the wire (little endian).
struct Learned {
  std::map<std::uint32_t, NodeId> indices;  ///< by index alone
  std::map<Endpoint, NodeId> homes;         ///< refreshed by nodes, on top of `Intent::homes`
  std::map<IpAddress, NodeId> inner;
  std::uint64_t index_collisions = 0;
};

struct Observed {
  Intent steering;  ///< what the director has applied
  Learned learned;
  /// What was refused or not learned since `install`, in packets: docs/steering.md lists the names.
  std::map<std::string, std::uint64_t> counters;
};

}  // namespace weir::director
