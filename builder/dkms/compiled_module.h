#pragma once

#include <map>
#include <string>
#include <vector>

#include "images/tree/file_tree.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// A module as it came out of a DKMS package: unpacked and not signed.
struct CompiledModule {
  std::string name;
  std::string package;             ///< the DKMS package
  manifests::ModuleOrigin origin;  ///< `origin.compiled` is the digest of `content`
  images::Content content;
};

/// What of all that was compiled gets into the image: the modules that the manifest pins, and those
/// that they need.
///
/// compiled   all that the manifest's DKMS packages made
/// errors     not_found: a pinned module is not among those of its package, which are named;
///            invalid_input: a damaged module
[[nodiscard]] Result<std::vector<CompiledModule>> choose_compiled(
    const manifests::ImageManifest& manifest, const std::vector<CompiledModule>& compiled);

}  // namespace weir::builder
