#include "deployer/rollout/nodelife/clocks.h"

#include <algorithm>

namespace weir::deployer {

std::map<NodeId, std::chrono::microseconds> slow_clocks(
    const std::map<NodeId, std::chrono::microseconds>& ahead) {
  std::chrono::microseconds fastest{0};
  for (const auto& [node, offset] : ahead) {
    if (offset <= kFollowed) fastest = std::max(fastest, offset);
  }
  std::map<NodeId, std::chrono::microseconds> out;
  for (const auto& [node, offset] : ahead) {
    if (offset + kClockNoise < fastest) out.emplace(node, fastest);
  }
  return out;
}

}  // namespace weir::deployer
