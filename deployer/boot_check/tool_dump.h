#pragma once

#include <string_view>

#include "manifests/base/result.h"
#include "manifests/messages/node_api.h"

namespace weir::boot_check {

/// Whether the image's own `wg` sees the only peer there is as the agent saw it a moment before.
///
/// dump     of `wg show all dump`, secrets hidden or not
/// seen     what the agent read from the kernel; with a preshared key
/// errors   integrity: not this peer and no other, or less than the agent saw of it
/// source   wg(8), `show`: a device has five fields, a peer nine
[[nodiscard]] Status check_tool_dump(std::string_view dump, const manifests::PeerState& seen);

}  // namespace weir::boot_check
