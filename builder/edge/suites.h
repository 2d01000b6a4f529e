#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/edge/cache.h"
#include "builder/edge/download.h"
#include "builder/edge/mirror.h"
#include "builder/package_index.h"
#include "manifests/image_manifest.h"
#include "manifests/lock.h"
#include "manifests/result.h"

namespace weir::builder {

/// Everything the suites of a manifest have, each byte under a signature.
struct Suites {
  std::vector<manifests::LockedSource> sources;  ///< in the manifest's order
  std::vector<PackageIndex> indices;             ///< one a suite and component, in that order
  std::int64_t newest_date = 0;                  ///< Unix seconds, of all InRelease files
};

/// Fetches and checks InRelease and Packages of every suite and component.
///
/// keyring  absolute path
/// now      Unix seconds
/// errors   each names the suite: those of verify_inrelease, check_suite_index, download;
///          not_found: the suite has no such component or architecture
[[nodiscard]] Result<Suites> fetch_suites(const manifests::ImageManifest& manifest,
                                          const std::string& keyring, const Mirrors& mirrors,
                                          const Cache& cache, std::int64_t now,
                                          const DownloadObserver& observer);

}  // namespace weir::builder
