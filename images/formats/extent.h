#pragma once

#include <cstdint>
#include <vector>

#include "images/tree/file_tree.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"

namespace weir::images {

/// Bytes at a place of a file.
struct Extent {
  std::uint64_t offset = 0;
  Content bytes;
};

/// A file that is zero wherever no extent says otherwise. Extents are in order, do not overlap and
/// end within `size`.
struct SparseFile {
  ByteCount size;
  std::vector<Extent> extents;
};

/// All of it in memory; for small files and for tests.
[[nodiscard]] std::vector<std::uint8_t> flatten(const SparseFile& file);

/// Of the whole file, zeros included.
[[nodiscard]] Digest digest_of(const SparseFile& file);

}  // namespace weir::images
