#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/lock/index_verdict.h"
#include "builder/lock/locked_image.h"
#include "builder/mirror/edge/cache.h"
#include "builder/mirror/suite_source.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Whether an absent index is an error.
enum class IndexDemand : std::uint8_t { where_there, always };

/// Whether a check may leave its record in the cache.
enum class Remembering : std::uint8_t { yes, no };

/// Holds a lock to the indices that the cache has (`read_cached_suites`,
/// `check_indexed`). Success is remembered in the cache (`indexed/KEY`), by lock, keyrings and
/// builder, so that asking again costs nothing, also where the indices are gone.
///
/// errors  each names the lock and says what to do: those of `read_cached_suites` and
///         `check_indexed`; integrity: other suites than the manifest's, or a source epoch that is
///         not theirs; not_found: `demand`, and the index is absent
[[nodiscard]] Result<IndexVerdict> hold_to_index(const LockedImage& image, const Cache& cache,
                                                 IndexDemand demand, Remembering remembering);

/// Remembers a verdict that was not to be remembered when it was found. errors: io
[[nodiscard]] Status remember_verdict(const LockedImage& image, const IndexVerdict& verdict,
                                      const Cache& cache);

/// Remembers that a lock was just made from its indices. errors: io
[[nodiscard]] Status remember_indexed(const Digest& lock_digest,
                                      const std::vector<SuiteSource>& sources, const Cache& cache);

}  // namespace weir::builder
