#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deployer/director/steering.h"
#include "manifests/digest.h"
#include "manifests/result.h"

namespace weir::director {

/// One element as the kernel keeps it: parts of a key padded to 4 bytes each, addresses, ports and
/// raw payload in network order, marks in host order. `mark` is the value, where the set is a map.
struct Element {
  std::string key;
  std::optional<std::uint32_t> mark;
  auto operator<=>(const Element&) const = default;
};

/// Our table as read back, not yet understood.
struct Ruleset {
  std::map<std::string, std::vector<Element>> sets;  ///< also those without elements
  std::map<std::string, std::uint64_t> counters;     ///< packets
  bool operator==(const Ruleset&) const = default;
};

/// What the live maps mean. errors: integrity: a set of ours is missing, or an element is none that
/// we or our rules write; names the set and what is wrong
[[nodiscard]] Result<Observed> observe(const Topology& topology, const Ruleset& ruleset);

/// Sets that belong to `Steering`, so that it can be read without what packets taught.
[[nodiscard]] bool holds_steering(const std::string& set);
/// Sets that `observe` understands; the others only matter to the kernel.
[[nodiscard]] bool is_observed(const std::string& set);

/// The elements by which packets remember a node: what `forget` deletes, a set at a time.
[[nodiscard]] std::map<std::string, std::vector<std::string>> keys_of_node(const Ruleset& ruleset,
                                                                           std::uint32_t number);
[[nodiscard]] bool remembers_nodes(const std::string& set);

/// The set and key of what was learned about an inner address.
[[nodiscard]] std::pair<std::string, std::string> inner_key(const IpAddress& inner);

/// What `install` found in the host's settings, by their place in a list of its own; stands in the
/// ruleset so that whoever removes it can put them back.
[[nodiscard]] Result<std::map<std::uint32_t, std::uint32_t>> saved_settings(const Ruleset& ruleset);

}  // namespace weir::director
