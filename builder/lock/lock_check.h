#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/mirror/package_index.h"
#include "builder/mirror/suite_source.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

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

/// Whether a lock was made for the compressor `own`: another one makes other layers of the same
/// files.
/// errors   integrity, with both
[[nodiscard]] Status check_compressor(const manifests::Lock& lock, std::string_view own);

/// Whether the sources of a lock are the manifest's suites, in that order, and its source epoch is
/// the newest of their dates. errors: integrity
[[nodiscard]] Status check_sources(const std::vector<SuiteSource>& suites,
                                   const manifests::Lock& lock);

/// The first package of a lock, with its version, that its suite lists by SHA-512 alone and whose
/// SHA-256 is not known here: the lock cannot be held to such an index.
[[nodiscard]] std::optional<std::string> listed_by_sha512(const std::vector<PackageIndex>& indices,
                                                          const manifests::Lock& lock);

/// Whether every package of a lock stands in the index of its suite as it is locked: name, version,
/// architecture, path, size and digest.
///
/// indices  signed, of the suites that the lock names
/// errors   integrity, naming the first package that does not, its suite, and what differs
[[nodiscard]] Status check_indexed(const std::vector<PackageIndex>& indices,
                                   const manifests::Lock& lock);

}  // namespace weir::builder
