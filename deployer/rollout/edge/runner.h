#pragma once

#include <atomic>
#include <optional>

#include "deployer/rollout/edge/performer.h"
#include "deployer/rollout/rollout.h"

namespace weir::deployer {

struct Run {
  State state;
  Instant took{0};
  std::int64_t rollout = 0;  ///< its number in the journal
};

/// Drives one rollout to its end: step, journal, perform, wait; and again.
///
/// interrupted  set from elsewhere: the rollout is then ended in order
/// ordered_at   when the person gave the order; instants count from there
/// errors       io: the journal cannot be written, and steering was not touched. Afterwards that
///              breaks the rollout off, for a person; nothing unwritten is performed either way
Result<Run> run_rollout(Site& site, const Plan& plan, Means means,
                        const std::atomic<bool>& interrupted,
                        std::chrono::steady_clock::time_point ordered_at);

}  // namespace weir::deployer
