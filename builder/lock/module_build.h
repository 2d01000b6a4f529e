#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/lock/lock_update.h"
#include "builder/mirror/package_index.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// The package of a kernel's headers, as Debian and its descendants name it: "linux-headers-6.1.0"
/// of "linux-image-6.1.0" and "linux-binary-6.1.0". Empty: the kernel's name says no release.
[[nodiscard]] std::string headers_of(std::string_view kernel_package);

/// A module that the manifest has compiled from this DKMS package, for errors about it.
[[nodiscard]] std::string module_compiled_from(const manifests::ImageManifest& manifest,
                                               const std::string& package);

/// Chooses what the manifest's DKMS packages are compiled with, as `resolve` chooses an image's:
/// these, the headers of exactly this kernel, the compiler that those ask for, and the essential
/// packages that nothing depends on.
///
/// kernel    of the image, as it was chosen
/// returns   without a signer; nothing where no module is compiled
/// errors    as `resolve`; invalid_input also: there is no signer, and the command line has the
///           kernel insist on signatures; not_found: no suite has a DKMS package, or the kernel's
///           headers in the kernel's version
[[nodiscard]] Result<std::optional<manifests::LockedModuleBuild>> resolve_module_build(
    const manifests::ImageManifest& manifest, const std::vector<PackageIndex>& indices,
    const manifests::LockedPackage& kernel, const Kept& kept);

}  // namespace weir::builder
