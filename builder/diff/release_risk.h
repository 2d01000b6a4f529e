#pragma once

#include <vector>

#include "builder/diff/release_diff.h"

namespace weir::builder {

/// What a person should know before moving from one release to the other, in words.
/// The first sentence sums up kernel, modules and tools: "kernel 6.1 -> 6.12: module ABI changes;
/// virtio_pci is now built in; wireguard-tools unchanged".
/// The others follow, gravest first.
///
/// diff   all of it but the risks
[[nodiscard]] std::vector<Risk> risks_of(const ReleaseDiff& diff, const ReleaseFacts& from,
                                         const ReleaseFacts& to);

}  // namespace weir::builder
