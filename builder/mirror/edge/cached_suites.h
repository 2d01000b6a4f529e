#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/mirror/edge/cache.h"
#include "builder/mirror/package_index.h"
#include "builder/mirror/suite_source.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// The signed indices that a lock was made from, as `fetch_suites` left them in the cache.
struct CachedSuites {
  std::vector<PackageIndex> indices;
  std::optional<std::string> missing;  ///< why they cannot be read again; then there are none
};

/// Checks the signed files and Packages of every source of a lock again, by gpgv and by digest, but
/// not whether they are of this time: an old lock still builds.
///
/// sources  the manifest's; what the lock has beside them is passed over, and refused by
///          `check_sources`
/// errors   each names the suite: unauthorized: no good signature, or none by the key that the lock
///          says; integrity: changed in the cache, where it stays, or of another date than the lock
///          says; as the parsers
[[nodiscard]] Result<CachedSuites> read_cached_suites(const manifests::ImageManifest& manifest,
                                                      const std::vector<SuiteSource>& sources,
                                                      const manifests::Lock& lock,
                                                      const Cache& cache);

}  // namespace weir::builder
