#pragma once

#include <string>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

/// A release's root file system as a container image (OCI image specification 1.1). Format:
/// docs/boot-formats.md.
namespace weir::images {

/// What an image has at most: Docker loads 125 (moby, layer/layer_store.go, maxLayerDepth), some of
/// which belong to whoever builds upon it.
inline constexpr std::size_t kMostRootfsLayers = 100;

/// Which layers of a release become one of the container image: as many as it has, or, where these
/// are too many, the smallest neighbours joined until they are not.
///
/// sizes    of the release's layers, in order
/// most     1 or more
/// returns  how many of them each layer of the image takes, in order
[[nodiscard]] std::vector<std::size_t> group_rootfs_layers(const std::vector<ByteCount>& sizes,
                                                           std::size_t most = kMostRootfsLayers);

struct RootfsLayer {
  std::string name;       ///< the release's layers it was made from: "libc6", "libc6, zlib1g"
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
