#pragma once

#include <cstdint>
#include <vector>

#include "images/store/store.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::images {

/// The cpio archive inside a layer of a store: digests and sizes, packed and unpacked, are those of
/// the release. errors: not_found; integrity; each names the layer
[[nodiscard]] Result<std::vector<std::uint8_t>> read_layer_content(
    const Store& store, const manifests::ReleaseLayer& layer);

}  // namespace weir::images
