#include "deployer/rollout/edge/runner.h"

#include "deployer/rollout/edge/performer.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTick{20};

std::int64_t unix_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Clients that live somewhere else since `before`.
std::vector<StoredClient> relocated(const std::map<PublicKey, Stage>& before, const State& state) {
  std::vector<StoredClient> out;
  for (const auto& [key, client] : state.clients) {
    const auto old = before.find(key);
    if (old != before.end() && old->second == client.stage) continue;
    if (client.stage == Stage::switching || client.stage == Stage::moved) {
      out.push_back({key, client.endpoint, client.to});
    } else if (client.stage == Stage::returning ||
               (client.stage == Stage::stayed && !client.rescue)) {
      out.push_back({key, client.endpoint, client.from});
    }
  }
  return out;
}

std::map<PublicKey, Stage> stages_of(const State& state) {
  std::map<PublicKey, Stage> out;
  for (const auto& [key, client] : state.clients) out.emplace(key, client.stage);
  return out;
}

class Runner {
 public:
  Runner(Site& site, const Plan& plan, std::int64_t rollout)
      : site_(site), plan_(plan), rollout_(rollout) {}

  /// Writes down what a step decided, where anything depends on it.
  Status keep(const Step& step) {
    JournalEntry entry{rollout_,     unix_ms(), step.state.phase,
                       step.reasons, {},        relocated(stages_, step.state)};
    for (const Ordered& ordered : step.commands) {
      if (changes(ordered.command)) entry.commands.push_back(print(ordered.command));
    }
    for (const std::string& reason : step.reasons) site_.say(reason);
    const bool news = !entry.reasons.empty() || !entry.commands.empty() || !entry.clients.empty() ||
                      step.state.phase != phase_;
    if (!news) return {};
    stages_ = stages_of(step.state);
    phase_ = step.state.phase;
    TRY_IN(site_.store().append(entry), "journal");
    if (step.state.task == Task::follow && !active_) {
      active_ = true;
      TRY_IN(site_.store().set_active_pool(plan_.to_pool), "journal");
    }
    return {};
  }

 private:
  Site& site_;
  const Plan& plan_;
  std::int64_t rollout_;
  std::map<PublicKey, Stage> stages_;
  Phase phase_ = Phase::planned;
  bool active_ = false;
};

std::string outcome_line(const State& state) {
  if (state.error) return state.error->message;
  return state.outcome == Outcome::done ? "done" : "ended";
}

}  // namespace

Result<Run> run_rollout(Site& site, const Plan& plan,
                        const std::optional<keys::Verified<manifests::Release>>& release,
                        const std::atomic<bool>& interrupted, steady_clock::time_point ordered_at) {
  const auto now = [&] {
    return std::chrono::duration_cast<Instant>(steady_clock::now() - ordered_at);
  };
  StoredRollout stored{0,
                       plan.kind,
                       plan.release ? plan.release->name.string() : std::string(),
                       plan.from_pool,
                       plan.to_pool,
                       Phase::planned,
                       unix_ms() / 1000,
                       false,
                       {}};
  TRY_ASSIGN_IN(const std::int64_t id, site.store().begin_rollout(stored), "journal");
  Runner runner(site, plan, id);
  Run run{start(plan), {}, id};
  Performer performer(site, plan, release);
  Event event{0, Tick{}};
  bool told = false;
  for (;;) {
    Step next = step(plan, std::move(run.state), event, now());
    TRY(runner.keep(next));
    run.state = std::move(next.state);
    for (Ordered& ordered : next.commands) performer.perform(std::move(ordered));
    if (run.state.task == Task::finished) break;
    if (interrupted && !told) {
      told = true;
      site.cancelled = true;
      event = {0, Interrupted{}};
      continue;
    }
    event = performer.wait(kTick);
  }
  run.took = now();
  const bool settled = run.state.outcome == Outcome::done || run.state.outcome == Outcome::failed;
  if (settled) {
    TRY_IN(site.store().finish_rollout(id, run.state.phase, outcome_line(run.state)), "journal");
  }
  return run;
}

}  // namespace weir::deployer
