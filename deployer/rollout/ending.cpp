#include "deployer/rollout/terms/counted.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

Proof proof_of(const Turn& turn) {
  const State& state = turn.state;
  if (state.movement.any<stage::Moved>()) return Proof::clients;
  return state.rollout.probed ? Proof::probe : Proof::nothing;
}

/// A node that was not there to be brought to the registry is not one that somebody moved to.
void name_unreachable(const Turn& turn) {
  const State& state = turn.state;
  for (const NodeId& node : turn.plan.to) {
    if (contains(state.rollout.targets, node)) continue;
    turn.warn({Code::node_silent, "node " + node.string() + " of pool " +
                                      turn.plan.to_pool.string() + " cannot be reached (" +
                                      state.nodes.at(node).trouble +
                                      "): nobody was moved to it, and it has the peers it had"});
  }
}

/// From here on nobody is touched who is not under way.
void give_up(const Turn& turn, Reason why, Outcome outcome) {
  Rollout& rollout = turn.state.rollout;
  rollout.refusal = std::move(why);
  rollout.outcome = outcome;
  rollout.phase = Phase::rolling_back;
  rollout.task = task::Abandon{};
}

/// Everybody was moved, and a node that serves them is lost.
std::optional<Reason> lost_since(const Turn& turn) {
  const Rollout& rollout = turn.state.rollout;
  std::string names;
  for (const NodeId& node : rollout.targets) {
    if (rollout.lost.contains(node)) names += (names.empty() ? "" : ", ") + node.string();
  }
  if (names.empty()) return std::nullopt;
  const std::string other = turn.plan.kind == Kind::rollback
                                ? "move everybody to another pool with `weir-deployer deploy --to`"
                                : "move everybody back with `weir-deployer rollback`";
  return Reason{Code::node_lost, "clients were moved, and then the machine of " + names +
                                     " froze or went: " + other +
                                     ", or boot what is missing with `weir-deployer up` and the "
                                     "release of pool " +
                                     turn.plan.to_pool.string()};
}

std::size_t moved(const Roster& clients) {
  return clients.count<stage::Moved, stage::Switched, stage::Releasing>();
}

}  // namespace

void finish(const Turn& turn, Outcome outcome, Phase phase) {
  Rollout& rollout = turn.state.rollout;
  rollout.task = task::Finished{};
  rollout.outcome = outcome;
  rollout.phase = phase;
}

void refuse(const Turn& turn, Reason why, Outcome outcome) {
  Rollout& rollout = turn.state.rollout;
  turn.say("stopping: " + (why.code == Code::interrupted ? "interrupted" : why.text));
  if (!rollout.refusal) rollout.refusal = std::move(why);
  rollout.outcome = outcome;
  switch (turn.plan.kind) {
    case Kind::rollback:
      return finish(turn, Outcome::needs_person, rollout.phase);
    case Kind::up:
      if (turn.plan.ground.settled) return finish(turn, outcome, rollout.phase);
      turn.say("undoing what was started");
      rollout.phase = Phase::rolling_back;
      rollout.task = task::Stop{turn.order(StopPool{})};
      return;
    case Kind::deploy:
      rollout.phase = Phase::rolling_back;
      rollout.task = task::Look{turn.order(ReadDirector{})};
      return;
  }
}

void break_off(const Turn& turn, Reason why) {
  if (turn.plan.kind == Kind::up) return refuse(turn, std::move(why));  // there is nobody to move
  turn.say("stopping: " + why.text);
  break_off(turn.state, std::move(why));
}

void abandon(const Turn& turn, Reason why, Outcome outcome) {
  turn.say("giving everybody up: " + why.text);
  give_up(turn, std::move(why), outcome);
}

void abandon_interrupted(const Turn& turn) {
  const Roster& clients = turn.state.movement;
  if (moved(clients) == 0) {
    turn.say("interrupted: giving everybody up");
    return give_up(turn, {Code::interrupted, "interrupted: nobody was moved"}, Outcome::failed);
  }
  turn.say("interrupted: clients under way arrive, the others are given up");
  give_up(turn,
          {Code::interrupted, "interrupted: " + std::to_string(moved(clients)) + " of " +
                                  std::to_string(clients.size()) + " clients are moved; " +
                                  way_on(turn.plan)},
          Outcome::needs_person);
}

bool nobody_is_left(const Turn& turn) {
  const Roster& clients = turn.state.movement;
  return moved(clients) + clients.count<stage::Stayed>() == clients.size() &&
         (moved(clients) != 0 || turn.state.rollout.phase == Phase::judging) && !too_many(turn);
}

std::optional<Reason> too_many(const Turn& turn) {
  const Roster& clients = turn.state.movement;
  const std::size_t failed = clients.failed();
  if (failed == 0) return std::nullopt;
  const std::size_t active = clients.size() - clients.revoked();
  const std::size_t allowed =
      turn.plan.strict ? 0 : active * turn.plan.policy.max_failed.value / 1000;
  if (failed <= allowed) return std::nullopt;
  std::string names;
  std::size_t named = 0;
  for (const Roster::Id id : clients.ids<stage::Stayed>()) {
    const Client& client = clients[id];
    if (!client.counted || ++named > 5) continue;
    names += (named == 1 ? "" : "; ") + shown(turn.plan, client.key) + ": " +
             (client.why ? client.why->text : std::string("it was not heard of"));
  }
  return Reason{
      Code::too_many_failed,
      std::to_string(failed) + " of " + std::to_string(active) +
          " active clients cannot be moved, " + std::to_string(allowed) + " would be allowed (" +
          (turn.plan.strict
               ? std::string("--strict")
               : "policy.max_failed: " + std::to_string(turn.plan.policy.max_failed.value) +
                     " per mille") +
          "): " + names + (failed > 5 ? "; and others" : "")};
}

std::optional<Reason> lost_target(const Turn& turn) {
  if (turn.plan.kind != Kind::deploy) return std::nullopt;
  const Rollout& rollout = turn.state.rollout;
  for (const NodeId& node : rollout.targets) {
    if (!rollout.lost.contains(node)) continue;
    return Reason{Code::node_lost, "the machine of node " + node.string() + " is frozen or gone"};
  }
  return std::nullopt;
}

void conclude(const Turn& turn) {
  State& state = turn.state;
  state.rollout.proof = proof_of(turn);
  const bool back = turn.plan.kind == Kind::rollback;
  if (back) name_unreachable(turn);
  const Phase phase = back ? Phase::rolled_back : Phase::committed;
  if (auto lost = lost_since(turn)) {
    state.rollout.refusal = std::move(lost);
    return finish(turn, Outcome::needs_person, phase);
  }
  if (!back) return finish(turn, Outcome::done, phase);
  const std::size_t failed = state.movement.failed();
  if (failed == 0) return finish(turn, Outcome::done, Phase::rolled_back);
  state.rollout.refusal = Reason{
      Code::stay_behind, counted(failed, "client") + " could not be moved back and " +
                             (failed == 1 ? "stays" : "stay") + " on " +
                             (turn.plan.from_pool ? "pool " + turn.plan.from_pool->string()
                                                  : std::string("their nodes")) +
                             ", `weir-deployer status` shows where each is; once that is mended, " +
                             way_on(turn.plan)};
  finish(turn, Outcome::needs_person, Phase::rolled_back);
}

}  // namespace weir::deployer
