#pragma once

#include <string>
#include <vector>

#include "manifests/base/result.h"

namespace weir::manifests {

/// A file that stands for one that a fleet would give its nodes.
struct NodeFileWord {
  std::string name;  ///< that services call it by
  std::string path;
};

/// What `--node-file` was given, "unbound-key=keys/unbound.pem" each.
/// errors: invalid_input: not that, or a name twice
[[nodiscard]] Result<std::vector<NodeFileWord>> parse_node_file_words(
    const std::vector<std::string>& words);

}  // namespace weir::manifests
