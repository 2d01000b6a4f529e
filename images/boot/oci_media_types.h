#pragma once

/// What both images of a release say of themselves (OCI image format specification 1.1).
namespace weir::images::oci {

inline constexpr const char* kIndexType = "application/vnd.oci.image.index.v1+json";
inline constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* kTitle = "org.opencontainers.image.title";  ///< an annotation

}  // namespace weir::images::oci
