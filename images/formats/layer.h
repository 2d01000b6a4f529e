#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "images/tree/file_tree.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::images {

/// A segment of an initramfs, ready for a store. Format: docs/layer.md.
struct Layer {
  std::vector<std::uint8_t> bytes;  ///< one zstd frame, a multiple of 4 bytes long
  manifests::Blob blob;
  Digest content_digest;  ///< of the cpio inside
  ByteCount content_size;
};

/// Same tree and epoch, same bytes, with one version of libzstd (`layer_encoder`).
/// errors: as `encode_cpio`; exhausted: no memory
[[nodiscard]] Result<Layer> encode_layer(const FileTree& tree, std::int64_t epoch);

/// Digest of the cpio that `encode_layer` would compress: what a layer is known by before it is
/// made. errors: as `encode_cpio`
[[nodiscard]] Result<Digest> content_digest(const FileTree& tree, std::int64_t epoch);

/// What decides a layer's bytes besides its tree: "newc+zstd-1.5.4-3".
[[nodiscard]] std::string layer_encoder();

}  // namespace weir::images
