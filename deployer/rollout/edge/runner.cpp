#include "deployer/rollout/edge/runner.h"

#include <utility>

#include "deployer/rollout/journal.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTick{20};
/// Longer ones end there: any beginning of a journal can be walked.
constexpr ByteCount kLongestJournal{256U << 20};

std::int64_t unix_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Clients that live somewhere else since this step.
std::vector<StoredClient> relocated(const Step& step) {
  std::vector<StoredClient> out;
  out.reserve(step.places.size());
  for (const Place& place : step.places) out.push_back({place.key, place.endpoint, place.node});
  return out;
}

class Runner {
 public:
  Runner(Site& site, const Plan& plan, std::int64_t rollout)
      : site_(site), plan_(plan), rollout_(rollout) {}

  /// Takes what a step is given and what it ordered, to be written with the next that matters.
  void take(Instant now, Event event, const Step& step) {
    if (cut_) return;
    records_.push_back(encode(JournalRecord{now, std::move(event), step.commands}));
    bytes_ += records_.back().size();
    cut_ = bytes_ > kLongestJournal.value;
  }

  /// Writes down what a step decided, where anything depends on it.
  Status keep(const State& state, const Step& step) {
    JournalEntry entry{rollout_,        unix_ms(), state.rollout.phase, step.said, {},
                       relocated(step), {}};
    for (const Ordered& ordered : step.commands) {
      if (changes(ordered.command)) entry.commands.push_back(print(ordered.command));
    }
    for (const std::string& line : step.said) site_.say(line);
    const bool news = !entry.reasons.empty() || !entry.commands.empty() || !entry.clients.empty() ||
                      state.rollout.phase != phase_;
    if (!news && !finished(state)) return {};
    phase_ = state.rollout.phase;
    entry.records = std::exchange(records_, {});
    TRY_IN(site_.store().append(entry), "journal");
    if (activated(state) && !active_) {
      active_ = true;
      TRY_IN(site_.store().set_active_pool(plan_.to_pool), "journal");
    }
    return {};
  }

 private:
  Site& site_;
  const Plan& plan_;
  std::int64_t rollout_;
  Phase phase_ = Phase::planned;
  bool active_ = false;
  std::vector<std::string> records_;
  std::uint64_t bytes_ = 0;
  bool cut_ = false;
};

std::string outcome_line(const State& state) {
  if (state.rollout.refusal) return state.rollout.refusal->text;
  return state.rollout.outcome == Outcome::done ? "done" : "ended";
}

}  // namespace

Result<Run> run_rollout(Site& site, const Plan& plan, Means means,
                        const std::atomic<bool>& interrupted, steady_clock::time_point ordered_at) {
  const auto now = [&] {
    return std::chrono::duration_cast<Instant>(steady_clock::now() - ordered_at);
  };
  StoredRollout stored{0,
                       plan.kind,
                       plan.release ? plan.release->name.string() : std::string(),
                       plan.from_pool.value_or(plan.to_pool),
                       plan.to_pool,
                       Phase::planned,
                       unix_ms() / 1000,
                       false,
                       {},
                       encode(plan)};
  TRY_ASSIGN_IN(const std::int64_t id, site.store().begin_rollout(stored), "journal");
  Runner runner(site, plan, id);
  Run run{start(plan), {}, id};
  Performer performer(site, plan, std::move(means));
  Event event{0, Tick{}};
  std::optional<Event> held;
  bool told = false;
  for (;;) {
    const Instant at = now();
    Event kept = shortened(run.state, event);
    Step next = step(plan, run.state, std::move(event), at);
    runner.take(at, std::move(kept), next);
    TRY(runner.keep(run.state, next));
    for (Ordered& ordered : next.commands) performer.perform(std::move(ordered));
    if (finished(run.state)) break;
    if (held) {
      event = *std::exchange(held, std::nullopt);
      continue;
    }
    event = performer.wait(kTick);
    if (interrupted && !told) {
      // Known before what came with it: work that ends early does so because of it.
      told = true;
      held = std::exchange(event, Event{0, Interrupted{}});
    }
  }
  run.took = now();
  const Outcome outcome = run.state.rollout.outcome;
  const bool settled = outcome == Outcome::done || outcome == Outcome::failed;
  if (settled) {
    TRY_IN(site.store().finish_rollout(id, run.state.rollout.phase, outcome_line(run.state)),
           "journal");
  }
  return run;
}

}  // namespace weir::deployer
