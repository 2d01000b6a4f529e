#pragma once

#include "builder/lock/lock_update.h"
#include "builder/lock/package_pool.h"

namespace weir::builder {

/// Excludes the versions that the manifest's `constraints` rule out.
/// errors  invalid_input, naming the field: no suite has the package, or such a version
[[nodiscard]] Status constrain(PackagePool& pool, const manifests::ImageManifest& manifest);

/// Excludes what is not as the older lock has it: a package that stays can be in the image as it is
/// locked, or not at all.
/// errors  not_found: kept packages that no index has any more; integrity: an index has one with
///         another digest
[[nodiscard]] Status keep(PackagePool& pool, const Kept& kept);

}  // namespace weir::builder
