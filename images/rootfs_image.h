#pragma once

#include <string>
#include <vector>

#include "manifests/digest.h"
#include "manifests/release.h"
#include "manifests/result.h"

/// A release's root file system as a container image (OCI image specification 1.1). Format:
/// docs/boot-formats.md.
namespace weir::images {

struct RootfsLayer {
  std::string name;       ///< the release's layer it was made from
  manifests::Blob blob;   ///< tar, gzipped
  Digest content_digest;  ///< of the tar ("diff id")
};

struct RootfsImage {
  std::string config, manifest, index;  ///< JSON texts; `index` is the layout's index.json
};

/// release_digest   of the signed document
/// layers           in the release's order
[[nodiscard]] RootfsImage print_rootfs_image(const manifests::Release& release,
                                             const Digest& release_digest,
                                             const std::vector<RootfsLayer>& layers);

/// gzip, which every container tool reads; same tar, same bytes, with one version of zlib.
/// errors: exhausted: no memory
[[nodiscard]] Result<std::vector<std::uint8_t>> compress_rootfs_layer(Bytes tar);

}  // namespace weir::images
