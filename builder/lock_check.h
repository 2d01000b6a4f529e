#pragma once

#include <vector>

#include "builder/package_index.h"
#include "manifests/lock.h"
#include "manifests/result.h"

namespace weir::builder {

/// Whether no suite went back in time.
///
/// errors   integrity: a suite's index in `after` is dated before the one in `before`, with both
///          dates; invalid_input: a date that cannot be read. Suites that only one has do not count
[[nodiscard]] Status check_not_older(const std::vector<manifests::LockedSource>& before,
                                     const std::vector<manifests::LockedSource>& after);

/// The packages of a lock that their suite no longer has: they can be built from a cache only.
///
/// indices  signed, of the suites that the lock names
/// errors   integrity: the suite has this version of a package with another digest, so the lock
///          was changed or the archive broke its own rules
[[nodiscard]] Result<std::vector<manifests::LockedPackage>> vanished_from(
    const std::vector<PackageIndex>& indices, const manifests::Lock& lock);

}  // namespace weir::builder
