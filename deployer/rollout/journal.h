#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deployer/rollout/rollout.h"

/// The journal: what each step was given and what it ordered, so that whoever has the plan can walk
/// the same way again. Bytes are canonical: what decodes encodes to the same bytes. Format:
/// docs/journal.md.
namespace weir::deployer {

inline constexpr std::uint8_t kJournalFormat = 1;

/// One step.
struct JournalRecord {
  Instant now{0};
  Event event;
  std::vector<Ordered> commands;
};

[[nodiscard]] std::string encode(const JournalRecord& record);
/// errors  invalid_input: not a record; integrity: of a format that this version does not know
[[nodiscard]] Result<JournalRecord> decode_record(std::string_view bytes);
[[nodiscard]] std::string encode(const Plan& plan);
/// errors  as above
[[nodiscard]] Result<Plan> decode_plan(std::string_view bytes);

/// `event` as a journal keeps it: a dump is said by what differs from the one that `state` has of
/// its node. To be asked for before the step; both lead to the same state. Costs what the dump is
/// long.
[[nodiscard]] Event shortened(const State& state, const Event& event);

/// Walks the records from the start. Any prefix of a journal leads to the state that was there.
/// errors  integrity: a step orders something else than its record says, naming the record
[[nodiscard]] Result<State> replay(const Plan& plan, const std::vector<JournalRecord>& records);

}  // namespace weir::deployer
