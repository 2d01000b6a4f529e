#include "images/tree/merged_usr.h"

namespace weir::images {

Result<ImagePath> merged(const ImagePath& path) {
  for (const std::string_view folder : kMergedFolders) {
    if (path.is_within(folder)) return ImagePath::parse("usr/" + path.string());
  }
  return path;
}

Result<FileTree> merge_usr(const FileTree& tree) {
  FileTree out;
  // A package may ship the same folder on both sides, as /lib/x and /usr/lib/x; that is one folder.
  for (const auto& [path, node] : tree.nodes()) {
    TRY_ASSIGN(const ImagePath target, merged(path));
    if (target != path && path.parent().is_root() && !node.is_folder()) {
      const Symlink* link = node.symlink();
      if (link != nullptr && link->target == target.string()) continue;
      return fail(Errc::invalid_input,
                  "/" + path.string() + " stands where the link into /usr belongs");
    }
    const Node* there = out.find(target);
    if (there != nullptr && there->is_folder() && node.is_folder()) continue;
    TRY(out.put(target, node));
  }
  return out;
}

Status put_merged_links(FileTree& tree, std::int64_t mtime) {
  for (const std::string_view folder : kMergedFolders) {
    const std::string target = "usr/" + std::string(folder);
    TRY_ASSIGN(const ImagePath link, ImagePath::parse(folder));
    TRY_ASSIGN(const ImagePath behind, ImagePath::parse(target));
    TRY(tree.put(behind, Node{0755, 0, 0, mtime, Folder{}}));
    TRY(tree.put(link, Node{0777, 0, 0, mtime, Symlink{target}}));
  }
  return {};
}

}  // namespace weir::images
