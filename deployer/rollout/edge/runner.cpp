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

std::string outcome_line(const State& state) {
  if (state.rollout.refusal) return state.rollout.refusal->text;
  return state.rollout.outcome == Outcome::done ? "done" : "ended";
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
    // Only what `up` begins with where nothing steers: no reason to stop halfway.
    moved_on_ = moved_on_ || activated(state);
    if (moved_on_ && !active_) active_ = site_.store().set_active_pool(plan_.to_pool).has_value();
    return {};
  }

  /// Writes down how it ended. Clients are where they are by then: what cannot be written is told.
  void close(State& state) const {
    const Outcome outcome = state.rollout.outcome;
    if ((moved_on_ || activated(state)) && !active_) {
      told(state, site_.store().set_active_pool(plan_.to_pool),
           "the state does not say that pool " + plan_.to_pool.string() +
               " is the active one; once it can be written, say `weir-deployer up` with its "
               "release");
    }
    (void)site_.store().forget_journals_before(rollout_);  // else the next one does
    if (outcome != Outcome::done && outcome != Outcome::failed) return;
    told(state, site_.store().finish_rollout(rollout_, state.rollout.phase, outcome_line(state)),
         "the state calls this order unfinished; once it can be written, give the order again");
  }

 private:
  static void told(State& state, const Status& written, const std::string& what) {
    if (written) return;
    state.rollout.warnings.push_back({Code::unwritten, what + ": " + written.error().message});
  }

  Site& site_;
  const Plan& plan_;
  std::int64_t rollout_;
  Phase phase_ = Phase::planned;
  bool moved_on_ = false;  ///< the plan's pool is the active one
  bool active_ = false;    ///< and the state says so
  std::vector<std::string> records_;
  std::uint64_t bytes_ = 0;
  bool cut_ = false;
};

/// Clients may be on the old pool and on the new one, and nothing that is not written down is
/// ordered.
Reason unwritten(const Plan& plan, const State& state, const Error& error) {
  const std::size_t moved = state.movement.count<stage::Moved>();
  return {Code::unwritten,
          error.message + "; " + std::to_string(moved) + " of " +
              std::to_string(state.movement.size()) +
              " clients are moved, `weir-deployer status` shows where each is; once the state "
              "folder can be written, " +
              way_on(plan)};
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
    const bool touched = run.state.steering.touched && plan.kind != Kind::up;
    Event kept = shortened(run.state, event);
    Step next = step(plan, run.state, std::move(event), at);
    runner.take(at, std::move(kept), next);
    auto written = runner.keep(run.state, next);
    if (!written && !finished(run.state)) {
      if (!touched) return tl::unexpected(std::move(written).error());
      break_off(run.state, unwritten(plan, run.state, written.error()));
      site.say("stopping: " + run.state.rollout.refusal->text);
      break;
    }
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
  runner.close(run.state);
  return run;
}

}  // namespace weir::deployer
