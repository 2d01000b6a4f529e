#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "deployer/steering/steering.h"

namespace weir::director {

/// What chains read and write, declared without elements.

/// How many entries each learning map holds. Maps that fill up are a reason to stop a rollout.
[[nodiscard]] std::uint32_t learning_capacity(const Topology& topology);

/// Declarations of every set, map and counter of table `inet weir`.
[[nodiscard]] std::string render_declarations(const Topology& topology,
                                              const std::set<std::uint8_t>& lengths4,
                                              const std::set<std::uint8_t>& lengths6);
/// Declaration of the map of one prefix length.
[[nodiscard]] std::string render_assigned_map(bool ipv6, std::uint8_t length);

}  // namespace weir::director
