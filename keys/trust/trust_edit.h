#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/documents/trust.h"

namespace weir::keys {

/// A role, or a channel's own release role: "release", "release@lab".
struct RoleName {
  manifests::Role role = manifests::Role::release;
  std::optional<manifests::ChannelName> channel;  ///< only with `release`
};
/// errors: invalid_input
[[nodiscard]] Result<RoleName> parse_role_name(std::string_view text);

/// What a person wants to be different in the next version, done in this order.
struct TrustChange {
  std::vector<manifests::ChannelName> channels;  ///< to be there
  std::vector<manifests::ChannelName> without_channels;
  std::vector<std::pair<RoleName, manifests::TrustKey>> add;
  std::vector<std::pair<RoleName, std::string>> remove;     ///< key ids
  std::vector<std::pair<std::string, std::string>> revoke;  ///< key id, why
  std::vector<std::pair<RoleName, std::uint32_t>> thresholds;
  std::optional<UtcTime> expires;
};

/// The version that follows `before`, or version 1 where there is none: with `change` made, one
/// number higher, and without keys that have no role left. A role of which nobody said anything
/// keeps its keys; in version 1 `release` gets the root keys. Where keys go and fewer stay than the
/// threshold, the change must state a new one.
/// errors: invalid_input, saying what cannot be: an unknown key, a role that nobody could fill, a
///         version that has expired at `now`
[[nodiscard]] Result<manifests::Trust> next_trust(const std::optional<manifests::Trust>& before,
                                                  const TrustChange& change, UtcTime now);

}  // namespace weir::keys
