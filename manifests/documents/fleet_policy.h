#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::manifests {

class YamlField;

/// The rules that a rollout keeps.
struct RolloutPolicy {
  Permille max_failed{0};  ///< of the active clients; more that cannot be prepared and nobody moves
  /// Of the peers that nodes know; a registry that names fewer than the rest needs a word for it.
  Permille max_removed{100};
  /// Clients a commit; more than 400 unconfirmed kicks make a node answer with cookies.
  std::uint32_t batch = 400;
  std::chrono::milliseconds prepare_timeout{20000};
  std::chrono::milliseconds commit_timeout{20000};
  std::chrono::milliseconds boot_timeout{180000};
  std::chrono::milliseconds max_clock_skew{200};
};

/// So many of these people must have stated something about a release (docs/rebuild.md,
/// docs/boot-check.md).
struct StatementPolicy {
  std::vector<std::string> keys;  ///< minisign public key files, at least one
  std::uint32_t threshold = 1;    ///< 1 to the number of `keys`
};

/// As a fleet document has them. errors: invalid_input, naming line and field
[[nodiscard]] Result<RolloutPolicy> read_rollout_policy(const YamlField& field);
[[nodiscard]] Result<StatementPolicy> read_statement_policy(const YamlField& field);

}  // namespace weir::manifests
