#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deployer/director/director.h"
#include "deployer/steering/steering.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::director {

/// One element as the kernel keeps it: parts of a key padded to 4 bytes each, addresses, ports and
/// raw payload in network order, marks in host order. `mark` is the value, where the set is a map.
struct Element {
  std::string key;
  std::optional<std::uint32_t> mark;
  auto operator<=>(const Element&) const = default;
};

/// Our tables as read back, not yet understood.
struct Ruleset {
  std::map<std::string, std::vector<Element>> sets;  ///< also those without elements
  /// By chain ("ip errors" in the tables that are not `inet`), its rules as the kernel encodes
  /// them.
  std::map<std::string, std::string> chains;
  std::map<std::string, std::uint64_t> counters;  ///< packets
  bool operator==(const Ruleset&) const = default;
};

/// What the live maps mean; whether the rules are ours is `check_seal`'s question.
/// errors: integrity: a set of ours is missing, or an element is none that
/// we or our rules write; names the set and what is wrong
[[nodiscard]] Result<Observed> observe(const Topology& topology, const Ruleset& ruleset);

/// What an untouched ruleset for this topology is known by: one entry a chain, and one for what it
/// was rendered from. Made once after `install` and kept in the ruleset as map `seal`; chains that
/// deltas rewrite stay out.
using Seal = std::map<std::uint32_t, std::uint32_t>;
[[nodiscard]] Seal seal_of(const Topology& topology, const Ruleset& ruleset);
/// errors: integrity: a chain is not as it was installed (named), or the topology is another; not
/// found: never sealed, so it was not installed to the end
[[nodiscard]] Status check_seal(const Topology& topology, const Ruleset& ruleset);

/// Sets that belong to `Intent`, so that it can be read without what packets taught.
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
using SavedSettings = std::map<std::uint32_t, std::uint32_t>;
[[nodiscard]] Result<SavedSettings> saved_settings(const Ruleset& ruleset);

/// Who installs leaves a mark among these settings, at a place that no setting has: versions that
/// know of none pass over it.
void sign(SavedSettings& settings, const std::optional<Digest>& owner);
[[nodiscard]] Maker maker_of(const SavedSettings& settings, const std::optional<Digest>& owner);

}  // namespace weir::director
