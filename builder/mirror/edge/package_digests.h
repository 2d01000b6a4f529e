#pragma once

#include <vector>

#include "builder/mirror/edge/cache.h"
#include "builder/mirror/edge/download.h"
#include "builder/mirror/edge/mirror.h"
#include "builder/mirror/package_index.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// A lock names packages by SHA-256. Those that their archive lists by SHA-512 alone are fetched,
/// held to that and hashed; they stay in the cache, and so does what they turned out to be.
///
/// packages   of these indices; their digests are filled in
/// errors     as fetch_packages
[[nodiscard]] Status fetch_digests(std::vector<manifests::LockedPackage>& packages,
                                   const std::vector<PackageIndex>& indices, const Mirrors& mirrors,
                                   const Cache& cache, const DownloadObserver& observer);

}  // namespace weir::builder
