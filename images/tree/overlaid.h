#pragma once

#include <vector>

#include "images/tree/file_tree.h"

namespace weir::images {

/// What is there after one tree was unpacked over another: a node of a later tree stands in for one
/// of an earlier, a folder gets the later one's attributes.
/// errors: invalid_input: something lies below what is no folder in the end
[[nodiscard]] Result<FileTree> overlaid(const std::vector<FileTree>& trees);

}  // namespace weir::images
