#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "deployer/steering/steering.h"
#include "manifests/base/result.h"

namespace weir::director {

/// The whole ruleset as text for `nft -f`: tables `inet weir`, and `ip weir` and `ip6 weir` for
/// what only they can do. One transaction that replaces whatever stood there. Format:
/// docs/steering.md.
///
/// learned   what packets had taught an earlier ruleset or is known from nodes' dumps
/// seed      of the hash that spreads clients without a home; nobody outside should know it
/// errors    invalid_input: steering or learned name a node, or steering an address family, that
/// the
///           topology does not have; two nodes share a number
[[nodiscard]] Result<std::string> render_whole(const Topology& topology, const Intent& steering,
                                               const Learned& learned, std::uint32_t seed);

/// The commands that bring a director from `base` to what `delta` makes of it: one transaction that
/// the kernel refuses as a whole unless the director is at `delta.from`.
///
/// errors    invalid_input, as above, and where `delta` starts from another revision
[[nodiscard]] Result<std::string> render_delta(const Topology& topology, const Intent& base,
                                               const Delta& delta);

/// Commands that keep, beside a ruleset just rendered, what the host's settings were before us; and
/// the seal of a ruleset that stands.
[[nodiscard]] std::string render_settings(const std::map<std::uint32_t, std::uint32_t>& saved);
[[nodiscard]] std::string render_seal(const std::map<std::uint32_t, std::uint32_t>& seal);

/// Takes all our tables away, whichever of them exist.
[[nodiscard]] std::string render_removal();

}  // namespace weir::director
