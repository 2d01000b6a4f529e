#pragma once

#include <vector>

#include "builder/layers/layer_facts.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// The packages that the manifest asks for by name, with their versions from the lock, by name.
[[nodiscard]] std::vector<manifests::ReleasePackage> tools_of(
    const manifests::ImageManifest& manifest, const manifests::Lock& lock);

/// From manifest and lock alone, so that a rebuild states the same.
[[nodiscard]] manifests::ReleaseTerms terms_of(const manifests::ReleasePolicy& policy,
                                               const manifests::Lock& lock);

/// The statement about an image.
///
/// lock_digest   of the lock document's bytes
/// layers        all of them, in the order in which the kernel unpacks them
/// errors        invalid_input: no layer brings a kernel
[[nodiscard]] Result<manifests::Release> describe(const manifests::ImageManifest& manifest,
                                                  const manifests::Lock& lock,
                                                  const Digest& lock_digest,
                                                  const std::vector<LayerFacts>& layers);

/// "0.1.0+newc+zstd-1.5.4-3": what decides an image's bytes besides its lock.
[[nodiscard]] std::string builder_version();

}  // namespace weir::builder
