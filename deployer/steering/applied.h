#pragma once

#include <cstdint>
#include <map>

#include "manifests/base/names.h"

namespace weir::director {

/// What one director is known to have: beside the intent, and never ahead of it.
struct Applied {
  std::uint64_t revision = 0;  ///< the newest that it acknowledged, or was read to be at
  bool operator==(const Applied&) const = default;
};
using AppliedBy = std::map<DirectorId, Applied>;

/// Whether what revision `since` granted may be used: a packet may come through any director, so
/// each of them must have applied it. Without a director nothing stands.
[[nodiscard]] inline bool stands(const AppliedBy& applied, std::uint64_t since) {
  for (const auto& [_, it] : applied) {
    if (it.revision < since) return false;
  }
  return !applied.empty();
}

}  // namespace weir::director
