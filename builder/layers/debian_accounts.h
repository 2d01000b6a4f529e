#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "manifests/documents/lock.h"

namespace weir::builder {

inline constexpr std::uint32_t kNobody = 65534;  ///< the user nobody and the group nogroup

/// The number that every Debian system gives a user or group; those of root are 0.
/// source   Debian policy 9.2.2: 0 to 99 and 65534 are the same everywhere; base-passwd's
///          passwd.master and group.master
[[nodiscard]] std::optional<std::uint32_t> debian_user_id(std::string_view name);
[[nodiscard]] std::optional<std::uint32_t> debian_group_id(std::string_view name);
/// The name behind such a group's number; empty: none has it.
[[nodiscard]] std::string_view debian_group_name(std::uint32_t id);

/// The users of a file like /etc/passwd, and the groups of one like /etc/group, without root. A
/// line of other fields is passed over. source: passwd(5), group(5)
[[nodiscard]] std::vector<manifests::LockedUser> users_in(std::string_view passwd);
[[nodiscard]] std::vector<manifests::LockedGroup> groups_in(std::string_view group);

/// What adduser and systemd-sysusers hand out (policy 9.2.2), without 100, the group users.
inline constexpr std::uint32_t kFirstSystemId = 101, kLastSystemId = 999;

}  // namespace weir::builder
