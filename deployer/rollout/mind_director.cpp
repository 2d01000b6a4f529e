#include <algorithm>
#include <utility>

#include "deployer/rollout/movement/times.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

/// So many readings, or deltas, that fail one after the other are no accident.
constexpr unsigned kTries = 10;
/// Who wants an end does not wait longer for a director that fails.
constexpr milliseconds kInterruptedPatience{2000};

void failed(const Turn& turn, unsigned& in_a_row, const Error& error) {
  Steering& steering = turn.state.steering;
  if (steering.unread == 0 && steering.refused == 0) steering.trouble_since = turn.now;
  ++in_a_row;
  steering.trouble = error.message;
  steering.not_before = turn.now + kRepeatAfterError;
}

/// What a person can do about it. The ruleset may have been flushed; `up` makes it again.
std::string advice(const Turn& turn) {
  const Plan& plan = turn.plan;
  const PoolName& pool =
      activated(turn.state) ? plan.to_pool : plan.from_pool.value_or(plan.to_pool);
  return "`weir-deployer status` shows where clients are; if the ruleset was lost, "
         "`weir-deployer up` with the release of pool " +
         pool.string() + " makes it again with what the nodes know; then " + way_on(plan);
}

bool hopeless(const State& state, Instant now) {
  const Steering& steering = state.steering;
  if (steering.unread == 0 && steering.refused == 0) return false;
  if (std::max(steering.unread, steering.refused) >= kTries) return true;
  const Rollout& rollout = state.rollout;
  return rollout.interrupted &&
         now - std::max(rollout.interrupted_at, steering.trouble_since) >= kInterruptedPatience;
}

}  // namespace

void delta_answered(const Turn& turn, const Event& event) {
  Steering& steering = turn.state.steering;
  const CommandId id = std::exchange(steering.delta, 0);
  const auto* error = std::get_if<Failed>(&event.what);
  if (error == nullptr) {
    for (auto& [_, applied] : steering.applied) applied.revision = steering.intent.revision;
    steering.refused = 0;
  } else {
    // What the intent holds beyond what is applied goes when the director has been read.
    turn.say("the director refused: " + error->error.message);
    failed(turn, steering.refused, error->error);
    read_director(turn);
  }
  if (error != nullptr || director::stands(steering.applied, steering.intent.revision)) {
    clients_answered(turn, id, error == nullptr ? nullptr : &error->error);
  }
}

void director_answered(const Turn& turn, Event& event) {
  Steering& steering = turn.state.steering;
  steering.reading = 0;
  if (auto* read = std::get_if<DirectorRead>(&event.what)) {
    steering.intent = std::move(read->observed.steering);
    steering.learned_homes = std::move(read->observed.learned.homes);
    for (auto& [_, applied] : steering.applied) applied.revision = steering.intent.revision;
    steering.known = true;
    steering.dead_left = false;
    steering.unread = 0;
    return;
  }
  const auto* error = std::get_if<Failed>(&event.what);
  if (error == nullptr) return;
  if (!steering.touched) return refuse(turn, {Code::director_failed, error->error.message});
  // Half a movement must not be left lying because of one reading.
  if (steering.unread == 0) turn.say("the director cannot be read: " + error->error.message);
  failed(turn, steering.unread, error->error);
}

void mind_director(const Turn& turn) {
  Steering& steering = turn.state.steering;
  if (!moves_clients(turn.state.rollout.task) && !does<task::Survey>(turn.state)) return;
  if (hopeless(turn.state, turn.now)) {
    const std::string what = steering.unread != 0 ? "the director cannot be read"
                                                  : "the director refuses what it is ordered";
    return break_off(turn,
                     {Code::director_failed, what + ": " + steering.trouble + "; " + advice(turn)});
  }
  const bool again = steering.unread != 0 && !steering.known && steering.reading == 0;
  if (again && turn.now >= steering.not_before) read_director(turn);
}

}  // namespace weir::deployer
