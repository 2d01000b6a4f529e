#pragma once

#include <cstdint>
#include <functional>

#include "images/tree/file_tree.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::images {

/// How many bytes `encode_cpio` gives for `tree`.
[[nodiscard]] ByteCount cpio_size(const FileTree& tree);

/// Encodes a tree as one initramfs segment ("newc"). Same tree, same bytes: entries sorted by path,
/// parents first, inode and device numbers 0, one link a file (hard links become files of their
/// own), nothing younger than `epoch`.
///
/// epoch    Unix seconds; times before 1970 become 0
/// sink     gets the bytes in order, in pieces
/// errors   invalid_input: a file of 4 GiB or more; the sink's own
/// source   Linux, Documentation/driver-api/early-userspace/buffer-format.rst
[[nodiscard]] Status encode_cpio(const FileTree& tree, std::int64_t epoch,
                                 const std::function<Status(Bytes)>& sink);

}  // namespace weir::images
