#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "images/tree/image_path.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::images {

/// A file's bytes, shared between hard links and trees.
using Content = std::shared_ptr<const std::vector<std::uint8_t>>;
[[nodiscard]] Content content_of(std::string_view text);

struct Folder {};
struct File {
  Content content;
};
struct Symlink {
  std::string target;
};
struct Device {
  bool block = false;
  std::uint32_t major = 0, minor = 0;
};
struct Fifo {};

/// What stands at a path.
struct Node {
  std::uint32_t mode =
      0;  ///< permission bits with set-user-id, set-group-id and sticky: 0 to 07777
  std::uint32_t uid = 0, gid = 0;
  std::int64_t mtime = 0;  ///< Unix seconds
  std::variant<Folder, File, Symlink, Device, Fifo> what;

  [[nodiscard]] bool is_folder() const { return std::holds_alternative<Folder>(what); }
  [[nodiscard]] const File* file() const { return std::get_if<File>(&what); }
  [[nodiscard]] const Symlink* symlink() const { return std::get_if<Symlink>(&what); }
  [[nodiscard]] const Device* device() const { return std::get_if<Device>(&what); }
  [[nodiscard]] bool is_fifo() const { return std::holds_alternative<Fifo>(what); }
};

/// Files, folders, links, devices and FIFOs by path; nothing of it lies on a disk. Every node's
/// parents are in the tree, and are folders.
class FileTree {
 public:
  /// Adds a node; parents that are missing become folders (0755, root's, the node's mtime), and a
  /// folder that was made so takes the attributes of one put later.
  /// errors: invalid_input: something else is there already, or a parent is not a folder
  Status put(const ImagePath& path, Node node);

  [[nodiscard]] const Node* find(const ImagePath& path) const;
  [[nodiscard]] const std::map<ImagePath, Node>& nodes() const { return nodes_; }

  /// Takes out what `drop` says, then the folders that only held such things: those that had
  /// children and have none left.
  void drop_if(const std::function<bool(const ImagePath&, const Node&)>& drop);

 private:
  std::map<ImagePath, Node> nodes_;
  std::set<ImagePath> implied_;  ///< folders nobody put
};

/// One line a node, for tests and for people: `/path mode uid:gid mtime kind`, with size and
/// digest, target or numbers.
[[nodiscard]] std::string print(const FileTree& tree);

}  // namespace weir::images
