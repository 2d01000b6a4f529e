#pragma once

#include <sys/types.h>

#include "manifests/base/result.h"

namespace weir::pool {

/// Refuses to run machines as an id that this host gave to somebody: an account, a group, or
/// subordinate ids (/etc/subuid, /etc/subgid). errors: busy, naming whom
[[nodiscard]] Status check_node_user(uid_t user);

}  // namespace weir::pool
