#pragma once

#include <cstdint>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::pool {

/// The user and group ids that nodes' machines run as. They lie where nobody gives out ids: above
/// the 16-bit ids (systemd's dynamic users are 61184 to 65519, nobody is 65534), below those that
/// subordinate users start at (100000, /etc/login.defs) and containers (524288).
/// source: systemd's docs/UIDS-GIDS.md; Debian's policy, 9.2.2; login.defs(5), SUB_UID_MIN
inline constexpr std::uint32_t kFirstNodeUser = 70000;
inline constexpr std::uint32_t kNodeUsers = 20000;

/// One of its own for every node, so that no node's machine can trace or signal another's.
[[nodiscard]] constexpr std::uint32_t node_user(std::uint32_t number) {
  return kFirstNodeUser + number % kNodeUsers;
}
[[nodiscard]] constexpr bool is_node_user(std::uint32_t user) {
  return user >= kFirstNodeUser && user - kFirstNodeUser < kNodeUsers;
}

/// Refuses a table of subordinate ids that lends `id` to somebody. Lines that are none are no
/// concern of ours.
///
/// table    /etc/subuid or /etc/subgid: "account:first:count" lines
/// errors   busy, naming the account
/// source   subuid(5)
[[nodiscard]] Status check_subordinate_ids(std::string_view table, std::uint32_t id);

}  // namespace weir::pool
