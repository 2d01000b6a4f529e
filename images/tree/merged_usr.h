#pragma once

#include <cstdint>
#include <string_view>

#include "images/tree/file_tree.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_places.h"

namespace weir::images {

using manifests::kMergedFolders;

/// `path` as it stands with /usr merged: "bin/sh" becomes "usr/bin/sh". errors: exhausted: it was
/// within the limits of a path, and is not with "usr" before it
[[nodiscard]] Result<ImagePath> merged(const ImagePath& path);

/// `tree` with every path so rewritten, as unpacking onto a merged root would. Targets of links
/// stay as they are: they are read after the move. A link that is the same as one of the root's own
/// (base-files of Debian 13 ships all four) is left out. errors: invalid_input: two entries meet at
/// one path, or another one stands where the links belong; exhausted: as `merged`
[[nodiscard]] Result<FileTree> merge_usr(const FileTree& tree);

/// The links themselves, for the first layer.
[[nodiscard]] Status put_merged_links(FileTree& tree, std::int64_t mtime);

}  // namespace weir::images
