#pragma once

#include <string>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

/// A release's root file system as a container image (OCI image specification 1.1). Format:
/// docs/boot-formats.md.
namespace weir::images {

struct RootfsLayer {
  std::string name;       ///< the release's layer it was made from
  manifests::Blob blob;   ///< tar, gzipped
  Digest content_digest;  ///< of the tar ("diff id")
};

/// A document about the image, which refers to it ("referrer", OCI image specification 1.1).
struct RootfsDocument {
  std::string file;           ///< a name for those who take it out: "sbom.spdx.json"
  std::string artifact_type;  ///< "application/spdx+json"
  std::string media_type;     ///< of the document itself
  manifests::Blob blob;
};

struct RootfsImage {
  std::string config, manifest, index;  ///< JSON texts; `index` is the layout's index.json
  std::vector<std::string> referrers;   ///< artifact manifests, one a document
};

/// What artifact manifests have for a config. source: OCI image specification 1.1, manifest.md,
/// guidance for an empty descriptor
inline constexpr std::string_view kEmptyOciConfig = "{}";

/// release_digest   of the signed document
/// layers           in the release's order
/// documents        each gets an artifact manifest whose subject is the image; the index names it
///                  after the image, without a reference name
[[nodiscard]] RootfsImage print_rootfs_image(const manifests::Release& release,
                                             const Digest& release_digest,
                                             const std::vector<RootfsLayer>& layers,
                                             const std::vector<RootfsDocument>& documents = {});

/// gzip, which every container tool reads; same tar, same bytes, with one version of zlib.
/// errors: exhausted: no memory
[[nodiscard]] Result<std::vector<std::uint8_t>> compress_rootfs_layer(Bytes tar);

}  // namespace weir::images
