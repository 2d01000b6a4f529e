#pragma once

#include <chrono>
#include <map>

#include "manifests/base/names.h"

namespace weir::deployer {

/// Which clocks have to be set forward, and how far ahead of the deployer's they then are. A clock
/// never runs backwards: clients take an older time for a replay. So it is the slow ones that
/// follow, the deployer's time or the fastest node's; one that is ahead by more than `kFollowed` is
/// wrong itself and followed by nobody.
///
/// ahead   of the deployer's clock, as measured; to within some milliseconds
[[nodiscard]] std::map<NodeId, std::chrono::microseconds> slow_clocks(
    const std::map<NodeId, std::chrono::microseconds>& ahead);

inline constexpr std::chrono::seconds kFollowed{10};
/// What a measurement over an emulated network cannot tell.
inline constexpr std::chrono::milliseconds kClockNoise{20};

}  // namespace weir::deployer
