#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "manifests/base/result.h"
#include "manifests/documents/release.h"

/// The documents of an OCI image layout (OCI image specification 1.1), so that foreign tools can
/// list and copy releases. Format: docs/store.md.
namespace weir::images {

inline constexpr std::string_view kOciLayout = "{\"imageLayoutVersion\":\"1.0.0\"}\n";

/// What a release was made from, where the store has it.
struct ReleaseOrigin {
  manifests::Blob lock, manifest;
  std::optional<manifests::Blob> stub{};  ///< the EFI stub that the lock pins
};

/// The OCI manifest of a release: its document as config; kernel, layers, lock, image manifest and
/// signature as layers.
///
/// document, signature   the blobs that hold the release's JSON and its .minisig
[[nodiscard]] std::string print_oci_manifest(
    const manifests::Release& release, const manifests::Blob& document,
    const manifests::Blob& signature, const std::optional<ReleaseOrigin>& origin = std::nullopt);

/// `index` with an entry for `name`, in place of one that was there; other entries stay as they
/// are.
///
/// index    an index.json's text, or empty for a new one
/// errors   invalid_input: `index` is not an OCI index
[[nodiscard]] Result<std::string> put_in_index(std::string_view index, const ReleaseName& name,
                                               const manifests::Blob& manifest);

}  // namespace weir::images
