#pragma once

#include <string>
#include <vector>

#include "builder/kernel/module_files.h"
#include "builder/mirror/edge/cache.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// Hashes the kernel modules that the manifest takes from files and keeps copies in the cache.
/// manifest_path   what the files' paths are relative to
/// errors          not_found, io; integrity: a file is not the one of the manifest's sha256; each
///                 names the file
[[nodiscard]] Result<std::vector<manifests::LockedModule>> lock_modules(
    const manifests::ImageManifest& manifest, const std::string& manifest_path, const Cache& cache);

/// The files of a lock's modules, from the cache, else from where the manifest says.
/// errors: not_found; integrity: a file is not the locked one, or manifest and lock disagree; each
/// says to lock again
[[nodiscard]] Result<std::vector<NamedModule>> fetch_modules(
    const manifests::ImageManifest& manifest, const manifests::Lock& lock,
    const std::string& manifest_path, const Cache& cache);

}  // namespace weir::builder
