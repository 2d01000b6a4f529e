#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deployer/network/edge/network_namespace.h"
#include "deployer/steering/steering.h"
#include "manifests/base/result.h"

namespace weir::director {

/// The director's live state in one network namespace: nftables table `weir`, routes, policy rules
/// and the sysctls they need. Everything `install` makes, `remove` takes away; nothing else is
/// touched.
class Director {
 public:
  static Result<Director> open(const Topology& topology, network::NetworkNamespace where);
  Director(Director&&) noexcept;
  Director& operator=(Director&&) noexcept;
  ~Director();

  /// Whether our table is there.
  [[nodiscard]] Result<bool> installed();
  /// Makes table, routes and rules. Data interfaces may still be missing: see `attach`.
  /// One transaction for the ruleset: steering is the old one or the new one.
  /// `learned`, where given, re-seeds what packets had taught, before the first packet is steered.
  Status install(const Intent& steering, const std::optional<Learned>& learned = {});
  /// Addresses, routes and sysctls of one node's data and management links, once its taps exist.
  Status attach(const NodeId& node);

  /// One transaction. errors: busy: the director is at another version (read it, make a new delta)
  Status apply(const Delta& delta);
  /// The live ruleset and maps as our types. errors: not_found: not installed; integrity: a ruleset
  /// that is not one of ours, naming what differs
  [[nodiscard]] Result<Observed> read();
  /// Forgets all that packets taught about a node (it is dead).
  Status forget(const NodeId& node);
  /// Sends one inner packet to an idle client through `node`, so that the client answers.
  Status nudge(const NodeId& node, const IpAddress& inner);
  Status remove();

 private:
  struct State;
  explicit Director(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::director
