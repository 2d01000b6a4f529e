#pragma once

#include <string>

#include "manifests/base/names.h"

namespace weir::deployer {

/// Where the machine of a node has its own folder, in a fleet's state folder.
[[nodiscard]] inline std::string node_folder(const std::string& state_folder, const NodeId& node) {
  return state_folder + "/nodes/" + node.string();
}

}  // namespace weir::deployer
