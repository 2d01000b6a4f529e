#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "builder/mirror/edge/cache.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

struct BuildInput;

/// Whether a lock was held to the signed indices that it names.
enum class IndexCheck : std::uint8_t {
  checked,     ///< now: signatures, digests, and every package
  remembered,  ///< before, with this keyring and by this builder
  absent,      ///< not here: the cache or the keyring is not there
};

/// "checked", "remembered", "absent".
[[nodiscard]] std::string_view name_of(IndexCheck check);

/// Whether an absent index is an error.
enum class IndexDemand : std::uint8_t { where_there, always };

/// Whether a check may leave its record in the cache.
enum class Remembering : std::uint8_t { yes, no };

struct IndexVerdict {
  IndexCheck check = IndexCheck::absent;
  std::string missing{};  ///< of an absent one: "suite bookworm: its InRelease is not in the cache"
};

/// Holds the lock of a build to the indices that the cache has (`read_cached_suites`,
/// `check_indexed`). Success is remembered in the cache (`indexed/KEY`), by lock, keyring and
/// builder, so that asking again costs nothing, also where the indices are gone.
///
/// errors  each names the lock and says what to do: those of `read_cached_suites` and
///         `check_indexed`; integrity: other suites than the manifest's, or a source epoch that is
///         not theirs; not_found: `demand`, and the index is absent
[[nodiscard]] Result<IndexVerdict> hold_to_index(const BuildInput& input, const Cache& cache,
                                                 IndexDemand demand, Remembering remembering);

/// Remembers that a lock was just made from its indices. errors: io
[[nodiscard]] Status remember_indexed(const Digest& lock_digest, const std::string& keyring,
                                      const Cache& cache);

}  // namespace weir::builder
