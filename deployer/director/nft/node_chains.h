#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deployer/director/nft/words.h"

namespace weir::director {

/// The chains of what `node` sends: what it may answer, and what is learned of that.
[[nodiscard]] std::string render_node_chains(const Topology& topology,
                                             const std::vector<Family>& families,
                                             const manifests::Attachment& node, std::uint32_t seed);

}  // namespace weir::director
