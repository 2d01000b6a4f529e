#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "builder/mirror/edge/cache.h"
#include "builder/mirror/edge/download.h"
#include "builder/mirror/edge/mirror.h"
#include "builder/mirror/package_index.h"
#include "builder/mirror/suite_source.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// Everything the suites of a manifest have, each byte under a signature.
struct Suites {
  std::vector<manifests::LockedSource> sources;  ///< in the manifest's order
  std::vector<PackageIndex> indices;             ///< one a suite and component, in that order
  std::int64_t newest_date = 0;                  ///< Unix seconds, of all suites
  std::vector<std::string> notes;                ///< what a person should know, a sentence each
};

/// Which indices are of this time.
struct Timeliness {
  std::int64_t now = 0;  ///< Unix seconds
  /// Labels of suites whose Valid-Until may have passed.
  std::vector<std::string> accept_expired{};
};

/// Fetches and checks InRelease, or else Release and Release.gpg, and Packages of every suite and
/// component; all are kept in the cache. The mirrors of a suite are asked in turn.
///
/// before   the sources of the lock that is there: of several good signatures the one that counted
///          then counts again
/// time     an index that had expired and was accepted is told in the notes and in its source
/// errors   each names the suite: those of read_keyring_of, verify_inrelease, check_suite_index,
///          wanted_indices, download; invalid_input: `time` accepts a suite that is not there
[[nodiscard]] Result<Suites> fetch_suites(const manifests::ImageManifest& manifest,
                                          const std::vector<SuiteSource>& sources,
                                          const Mirrors& mirrors, const Cache& cache,
                                          const std::vector<manifests::LockedSource>& before,
                                          const Timeliness& time, const DownloadObserver& observer);

}  // namespace weir::builder
