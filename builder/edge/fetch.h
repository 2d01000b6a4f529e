#pragma once

#include <string>
#include <vector>

#include "builder/edge/cache.h"
#include "builder/edge/download.h"
#include "builder/edge/mirror.h"
#include "manifests/lock.h"
#include "manifests/result.h"

namespace weir::builder {

/// A package of a lock and its .deb, whose digest and size are those of the lock.
class FetchedPackage {
 public:
  /// errors: as FetchedBlob::open, naming package and version
  static Result<FetchedPackage> open(const Cache& cache, const manifests::LockedPackage& package);

  [[nodiscard]] const manifests::LockedPackage& package() const { return package_; }
  [[nodiscard]] const FetchedBlob& deb() const { return deb_; }

 private:
  FetchedPackage(manifests::LockedPackage package, FetchedBlob deb)
      : package_(std::move(package)), deb_(std::move(deb)) {}
  manifests::LockedPackage package_;
  FetchedBlob deb_;
};

/// Brings all packages of a lock into the cache and opens them, in the order of `packages`.
///
/// mirrors  asked only for packages that the cache lacks
/// errors   not_found: a package is neither in the cache nor on the mirror: names package and
///          version and says to lock again; integrity: the mirror serves other bytes than the lock
///          promises; io: the mirror cannot be reached (after retries); what was fetched stays in
///          the cache, and partial files are resumed the next time
[[nodiscard]] Result<std::vector<FetchedPackage>> fetch_packages(
    const std::vector<manifests::LockedPackage>& packages, const Mirrors& mirrors,
    const Cache& cache, const DownloadObserver& observer);

/// weir-init or weir-node of a lock, from the cache (`lock` put them there), else from `folder`.
/// errors: not_found, integrity: the program in `folder` is not the locked one: says to lock again
[[nodiscard]] Result<FetchedBlob> fetch_program(const manifests::LockedProgram& program,
                                                const std::string& folder, const Cache& cache);

}  // namespace weir::builder
