#pragma once

#include "images/tree/file_tree.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::images {

/// Reads one initramfs segment ("newc") back into a tree; of what `encode_cpio` wrote, the same
/// tree. Stricter than the kernel: every folder must come before what it holds, nothing twice, no
/// hard links, and nothing but zeros behind the trailer.
///
/// errors   invalid_input: damaged, cut or one of the above, naming the entry; a path outside the
///          root; exhausted: over 100,000 entries
/// source   Linux, Documentation/driver-api/early-userspace/buffer-format.rst
[[nodiscard]] Result<FileTree> decode_cpio(Bytes bytes);

}  // namespace weir::images
