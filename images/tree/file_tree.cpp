#include "images/tree/file_tree.h"

#include <array>
#include <cstdio>

namespace weir::images {
namespace {

const char* kind_of(const Node& node) {
  if (node.is_folder()) return "folder";
  if (node.file() != nullptr) return "file";
  if (node.symlink() != nullptr) return "symbolic link";
  return node.is_fifo() ? "FIFO" : "device";
}

}  // namespace

Content content_of(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return std::make_shared<const std::vector<std::uint8_t>>(bytes.begin(), bytes.end());
}

Status FileTree::put(const ImagePath& path, Node node) {
  if (path.is_root()) {
    if (node.is_folder()) return {};
    return fail(Errc::invalid_input, "the root is not a folder");
  }
  if (const auto there = nodes_.find(path); there != nodes_.end()) {
    if (there->second.is_folder() && node.is_folder() && implied_.erase(path) > 0) {
      there->second = std::move(node);
      return {};
    }
    return fail(Errc::invalid_input, "/" + path.string() + " is there twice: a " +
                                         kind_of(there->second) + " and a " + kind_of(node));
  }
  for (ImagePath parent = path.parent(); !parent.is_root(); parent = parent.parent()) {
    const auto found = nodes_.find(parent);
    if (found == nodes_.end()) {
      nodes_.emplace(parent, Node{0755, 0, 0, node.mtime, Folder{}});
      implied_.insert(parent);
    } else if (!found->second.is_folder()) {
      return fail(Errc::invalid_input, "/" + path.string() + " lies below /" + parent.string() +
                                           ", which is a " + kind_of(found->second));
    }
  }
  nodes_.emplace(path, std::move(node));
  return {};
}

const Node* FileTree::find(const ImagePath& path) const {
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? nullptr : &found->second;
}

void FileTree::drop_if(const std::function<bool(const ImagePath&, const Node&)>& drop) {
  std::map<ImagePath, std::size_t> children;
  for (const auto& [path, _] : nodes_) ++children[path.parent()];
  std::set<ImagePath> emptied;
  // Children stand behind their parents, so backwards every folder is met after what it holds.
  for (auto it = nodes_.end(); it != nodes_.begin();) {
    --it;
    const auto& [path, node] = *it;
    const bool goes = node.is_folder()
                          ? children[path] == 0 && (emptied.contains(path) || drop(path, node))
                          : drop(path, node);
    if (!goes) continue;
    --children[path.parent()];
    emptied.insert(path.parent());
    implied_.erase(path);
    it = nodes_.erase(it);
  }
}

std::string print(const FileTree& tree) {
  std::string out;
  for (const auto& [path, node] : tree.nodes()) {
    std::array<char, 96> line{};
    std::snprintf(line.data(), line.size(), " %04o %u:%u %lld ", node.mode, node.uid, node.gid,
                  static_cast<long long>(node.mtime));
    out += "/" + path.string() + line.data() + kind_of(node);
    if (const File* file = node.file()) {
      out +=
          " " + std::to_string(file->content->size()) + " " + Digest::of(*file->content).string();
    } else if (const Symlink* link = node.symlink()) {
      out += " -> " + link->target;
    } else if (const Device* device = node.device()) {
      out += std::string(device->block ? " block " : " character ") +
             std::to_string(device->major) + "," + std::to_string(device->minor);
    }
    out += '\n';
  }
  return out;
}

}  // namespace weir::images
