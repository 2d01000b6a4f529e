#pragma once

#include <functional>
#include <string>
#include <vector>

#include "builder/mirror/edge/cache.h"
#include "builder/mirror/edge/download.h"
#include "builder/mirror/edge/mirror.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// The .deb of a locked package, from the cache; size and digest of what is returned are the
/// lock's. errors: not_found; integrity: the cached file was damaged (it is removed); io; each
/// names package
///         and version
[[nodiscard]] Result<std::string> read_package(const Cache& cache,
                                               const manifests::LockedPackage& package);

/// Whether the cache has a file for the package, by its name; `read_package` tells if it is sound.
[[nodiscard]] bool is_cached(const Cache& cache, const manifests::LockedPackage& package);

/// Brings packages into the cache, also those that it has.
///
/// arrived  called with a package's place in `packages` as soon as it is there
/// stopped  asked ten times a second; true ends it
/// errors   of the first package that cannot be had; the others are not waited for. not_found: it
///          is not on the mirror: names package and version and says to lock again; integrity: the
///          mirror serves other bytes than the lock promises; io: the mirror cannot be reached
///          (after retries); busy: stopped. What was fetched stays in the cache, and partial files
///          are resumed the next time
[[nodiscard]] Status fetch_packages(const std::vector<manifests::LockedPackage>& packages,
                                    const Mirrors& mirrors, const Cache& cache,
                                    const DownloadObserver& observer,
                                    const DownloadArrived& arrived,
                                    const std::function<bool()>& stopped = {});

/// weir-init or weir-node of a lock, from the cache (`lock` put them there), else from `folder`.
/// errors: not_found, integrity: the program in `folder` is not the locked one: says to lock again
[[nodiscard]] Result<FetchedBlob> fetch_program(const manifests::LockedProgram& program,
                                                const std::string& folder, const Cache& cache);

}  // namespace weir::builder
