#include "images/tree/overlaid.h"

namespace weir::images {

Result<FileTree> overlaid(const std::vector<FileTree>& trees) {
  std::map<ImagePath, Node> nodes;
  for (const FileTree& tree : trees) {
    for (const auto& [path, node] : tree.nodes()) nodes.insert_or_assign(path, node);
  }
  FileTree out;
  for (auto& [path, node] : nodes) TRY(out.put(path, std::move(node)));
  return out;
}

}  // namespace weir::images
