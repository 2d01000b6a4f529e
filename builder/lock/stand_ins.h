#pragma once

#include <string>
#include <vector>

#include "builder/mirror/package_index.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"

namespace weir::builder {

/// Takes out of `merged.provides` what a reviewed list stands in for and a package that the
/// manifest asks for by name provides itself, or cannot be beside: who is asked for counts before a
/// stand-in.
///
/// written  the manifest as it stands; its own `provides` stay
/// merged   the same with its reviewed lists
/// returns  a sentence for each that was taken out
/// errors   invalid_input: a package that is asked for conflicts with a name of `written.provides`;
///          both are named
[[nodiscard]] Result<std::vector<std::string>> yield_to_packages(
    const manifests::ImageManifest& written, const std::vector<PackageIndex>& indices,
    manifests::ImageManifest& merged);

}  // namespace weir::builder
