#include "deployer/orders/resumption.h"

#include "deployer/rollout/journal.h"

namespace weir::deployer {

Result<std::optional<Resumption>> resume(const StoredJournal& journal) {
  if (journal.plan.empty()) return std::optional<Resumption>();
  TRY_ASSIGN_IN(const Plan plan, decode_plan(journal.plan), "journal");
  std::vector<JournalRecord> records;
  records.reserve(journal.records.size());
  for (const std::string& bytes : journal.records) {
    TRY_ASSIGN_IN(auto record, decode_record(bytes), "journal");
    records.push_back(std::move(record));
  }
  TRY_ASSIGN_IN(const State state, replay(plan, records), "journal");
  Resumption out{records.size(), state.rollout.phase, plan.known};
  for (const Client& client : state.movement) {
    const bool moved = std::holds_alternative<stage::Moved>(client.stage);
    out.places.insert_or_assign(client.key,
                                Known{client.endpoint, moved ? client.to : client.from});
  }
  return std::optional(std::move(out));
}

}  // namespace weir::deployer
