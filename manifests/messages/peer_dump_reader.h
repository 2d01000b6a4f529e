#pragma once

#include <string_view>

#include "manifests/base/result.h"
#include "manifests/base/still_wanted.h"
#include "manifests/messages/node_api.h"

namespace weir::manifests {

/// The one long answer of a node, as long as it is wanted: `wanted` is asked with every thousand
/// values and peers. errors: as parse_peer_dump; timeout: not wanted any more
[[nodiscard]] Result<PeerDump> parse_wanted_peer_dump(std::string_view json,
                                                      const StillWanted& wanted);

}  // namespace weir::manifests
