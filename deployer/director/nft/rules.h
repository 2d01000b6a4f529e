#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "deployer/steering/steering.h"

namespace weir::director {

/// The part of the ruleset that packets run through. Depends on the topology alone, but for
/// `spread` and `assigned` below.

/// Every chain of table `inet weir`.
[[nodiscard]] std::string render_chains(const Topology& topology, std::uint32_t seed);
/// Tables `ip weir` and `ip6 weir`: ICMP errors to every node.
[[nodiscard]] std::string render_error_tables(const Topology& topology);

/// Rules of chain `spread` for `width` active nodes: from a hash in the mark to a node.
[[nodiscard]] std::string render_spread(std::size_t width);
/// Rules of chain `assigned4` or `assigned6`: one lookup a prefix length, longest first.
[[nodiscard]] std::string render_assigned(bool ipv6, const std::set<std::uint8_t>& lengths);

}  // namespace weir::director
