#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "builder/mirror/edge/cache.h"
#include "builder/mirror/edge/download.h"
#include "builder/mirror/edge/mirror.h"
#include "builder/mirror/package_index.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// Where the keyring of a manifest lies: absolute, or beside the manifest.
[[nodiscard]] std::string keyring_path(const manifests::ImageManifest& manifest,
                                       const std::string& manifest_path);

/// Everything the suites of a manifest have, each byte under a signature.
struct Suites {
  std::vector<manifests::LockedSource> sources;  ///< in the manifest's order
  std::vector<PackageIndex> indices;             ///< one a suite and component, in that order
  std::int64_t newest_date = 0;                  ///< Unix seconds, of all InRelease files
};

/// Fetches and checks InRelease and Packages of every suite and component; all are kept in the
/// cache.
///
/// keyring  absolute path
/// now      Unix seconds
/// errors   each names the suite: those of verify_inrelease, check_suite_index, download;
///          not_found: the suite has no such component or architecture
[[nodiscard]] Result<Suites> fetch_suites(const manifests::ImageManifest& manifest,
                                          const std::string& keyring, const Mirrors& mirrors,
                                          const Cache& cache, std::int64_t now,
                                          const DownloadObserver& observer);

/// The signed indices that a lock was made from, as `fetch_suites` left them in the cache.
struct CachedSuites {
  std::vector<PackageIndex> indices;
  std::optional<std::string> missing;  ///< why they cannot be read again; then there are none
};

/// Checks InRelease and Packages of every source of a lock again, by gpgv and by digest, but not
/// whether they are of this time: an old lock still builds.
///
/// errors  each names the suite: unauthorized: no good signature, or one by another key than the
///         lock says; integrity: changed in the cache, where it stays, or of another suite or
///         date than the lock says; as the parsers
[[nodiscard]] Result<CachedSuites> read_cached_suites(const manifests::ImageManifest& manifest,
                                                      const manifests::Lock& lock,
                                                      const std::string& keyring,
                                                      const Cache& cache);

}  // namespace weir::builder
