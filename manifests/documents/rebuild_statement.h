#pragma once

#include <string>
#include <string_view>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::manifests {

inline constexpr std::string_view kRebuildType = "weir.rebuild/1";

/// "I made this release from its lock, and it came out the same, bit by bit." It says nothing of
/// time or place, so that the same rebuild by the same key is the same document.
/// Format: docs/rebuild.md.
struct RebuildStatement {
  ReleaseName release;
  Digest release_digest;        ///< of the release document
  Digest lock_digest;           ///< of the lock it was made from
  std::string builder_version;  ///< of who made it again
  bool operator==(const RebuildStatement&) const = default;
};

/// errors: invalid_input, naming the field; any text that `print` would not have written
[[nodiscard]] Result<RebuildStatement> parse_rebuild_statement(std::string_view json);
[[nodiscard]] std::string print(const RebuildStatement& statement);

}  // namespace weir::manifests
