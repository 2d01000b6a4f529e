#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "builder/layers/layer_facts.h"
#include "images/tree/file_tree.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// One path of an image as it stands when all layers are unpacked.
struct ImageEntry {
  ListedEntry entry;
  std::uint64_t size = 0;        ///< of a file
  std::optional<Digest> digest;  ///< of a file's content
  std::string layer;             ///< the last one that brings it
  bool operator==(const ImageEntry&) const = default;
};

/// By path, without a slash in front.
using ImageEntries = std::map<std::string, ImageEntry>;

/// Everything that a store knows of a release.
struct ReleaseFacts {
  manifests::Release release;
  Digest digest;  ///< of the release document
  ImageEntries entries;
  std::optional<manifests::Lock> lock;                 ///< where the store has it
  std::optional<manifests::ImageManifest> manifest{};  ///< the same
};

/// Puts a layer over what is there, as the kernel unpacks it: what comes later counts, folders
/// merge.
void unpack_over(ImageEntries& below, const images::FileTree& tree, const std::string& layer);

/// "virtio_pci" of "usr/lib/modules/6.1/kernel/drivers/virtio/virtio-pci.ko.xz"; empty where the
/// path is not a module's.
[[nodiscard]] std::string module_of(const std::string& path);

}  // namespace weir::builder
