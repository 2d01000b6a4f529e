#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "deployer/steering/steering.h"

namespace weir::director {

/// The part of the ruleset that packets run through: chains, and declarations of the maps they read
/// and write, without elements. Depends on the topology alone, but for `spread` and `assigned`
/// below.

/// How many entries each learning map holds. Maps that fill up are a reason to stop a rollout.
[[nodiscard]] std::uint32_t learning_capacity(const Topology& topology);

/// Declarations of every set, map and counter of table `inet weir`.
[[nodiscard]] std::string render_declarations(const Topology& topology,
                                              const std::set<std::uint8_t>& lengths4,
                                              const std::set<std::uint8_t>& lengths6);
/// Every chain of table `inet weir`.
[[nodiscard]] std::string render_chains(const Topology& topology, std::uint32_t seed);
/// Tables `ip weir` and `ip6 weir`: ICMP errors to every node.
[[nodiscard]] std::string render_error_tables(const Topology& topology);

/// Rules of chain `spread` for `width` active nodes: from a hash in the mark to a node.
[[nodiscard]] std::string render_spread(std::size_t width);
/// Rules of chain `assigned4` or `assigned6`: one lookup a prefix length, longest first.
[[nodiscard]] std::string render_assigned(bool ipv6, const std::set<std::uint8_t>& lengths);
/// Declaration of the map of one prefix length.
[[nodiscard]] std::string render_assigned_map(bool ipv6, std::uint8_t length);

}  // namespace weir::director
