#pragma once

#include <string>

#include "images/tree/file_tree.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// A root file system on the disk that programs will run in, made of trees one after another: a
/// later file takes the place of an earlier one. All of it is this user's; nothing of it has more
/// rights than that, and devices and FIFOs stay out.
class BuildRoot {
 public:
  /// folder   exists and is empty
  /// errors   as `fail_file`; kernel: one before 5.6, which has no openat2(2)
  static Result<BuildRoot> open(const std::string& folder);

  /// Links of earlier trees are followed inside the root only.
  /// errors: invalid_input: a folder where something else is, or the reverse; else as `fail_file`
  [[nodiscard]] Status write(const images::FileTree& tree) const;

 private:
  BuildRoot(std::string path, Fd root) : path_(std::move(path)), root_(std::move(root)) {}
  [[nodiscard]] Result<Fd> open_parent(const std::string& folder) const;
  [[nodiscard]] Status write_node(int folder, const images::ImagePath& path,
                                  const images::Node& node) const;
  std::string path_;
  Fd root_;
};

}  // namespace weir::builder
