#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "manifests/base/result.h"

namespace weir::pool {

/// The user and group a node's QEMU runs as: one of its own for every node, so that no node's QEMU
/// can trace or signal another's. 65000 to 65499, which Debian's policy (9.2.2) keeps free of
/// accounts.
[[nodiscard]] uid_t node_user(std::uint32_t number);

/// The groups that let such a user open /dev/kvm: the device's own, where it may read and write.
[[nodiscard]] std::vector<gid_t> kvm_groups();

/// errors: not_found, saying which package has it
[[nodiscard]] Result<std::string> find_qemu();

}  // namespace weir::pool
