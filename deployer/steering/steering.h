#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"
#include "manifests/documents/fleet.h"

namespace weir::director {

/// What does not change while a fleet runs: who is attached where.
struct Topology {
  manifests::Vip vip;
  /// Of all pools; `number` is the fwmark and the routing table.
  std::vector<manifests::NodeLink> nodes;
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

/// Where packets go: the deployer's half. The other half, what packets taught, is the director's
/// own (`Learned`). A value: compare, diff and print it; nothing in it is live.
struct Steering {
  std::uint64_t version = 0;   ///< grows by one with every change
  std::vector<NodeId> active;  ///< clients without a home are hashed over these, in this order
  std::map<Endpoint, NodeId> homes;  ///< who answers a client's initiations, and may initiate to it
  std::set<Grant> kicks;             ///< may initiate to the client although not its home
  std::set<Grant> holds;             ///< the node's data packets to the client are dropped
  std::map<Prefix, NodeId> assigned;  ///< inner addresses nothing was learned about yet
  bool operator==(const Steering&) const = default;
};

/// What turns one version into the next. Sent instead of the whole, and refused by the director
/// unless it is at `from`.
struct Delta {
  std::uint64_t from = 0, to = 0;
  std::optional<std::vector<NodeId>> active;
  std::map<Endpoint, std::optional<NodeId>> homes;  ///< nullopt: forget
  std::map<Grant, bool> kicks, holds;               ///< true: grant
  std::map<Prefix, std::optional<NodeId>> assigned;
  bool operator==(const Delta&) const = default;
};

[[nodiscard]] Delta diff(const Steering& from, const Steering& to);
/// errors: invalid_input, when `delta.from` is not `base.version`
[[nodiscard]] Result<Steering> patch(const Steering& base, const Delta& delta);

/// What packets taught, read back. Indices are the 32-bit receiver indices in host order as they
/// stand on the wire (little endian).
struct Learned {
  std::map<std::uint32_t, NodeId> indices;  ///< by index alone
  std::map<Endpoint, NodeId> homes;         ///< refreshed by nodes, on top of `Steering::homes`
  std::map<IpAddress, NodeId> inner;
  std::uint64_t index_collisions = 0;
};

struct Observed {
  Steering steering;
  Learned learned;
  /// What was refused or not learned since `install`, in packets: docs/steering.md lists the names.
  std::map<std::string, std::uint64_t> counters;
};

/// How many entries each learning map holds. Maps that fill up are a reason to stop a rollout.
[[nodiscard]] std::uint32_t learning_capacity(const Topology& topology);

}  // namespace weir::director
