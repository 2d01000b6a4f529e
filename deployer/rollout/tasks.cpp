#include <algorithm>
#include <array>

#include "deployer/rollout/terms/checks.h"
#include "deployer/rollout/terms/counted.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

/// What a survey found that must stop a deploy.
std::optional<Reason> judge_survey(const Plan& plan, const State& state) {
  const Rollout& rollout = state.rollout;
  for (const NodeId& node : plan.to) {
    if (!contains(rollout.targets, node)) {
      return Reason{Code::node_silent, "node " + node.string() + " does not give its peers: " +
                                           state.nodes.at(node).trouble};
    }
  }
  for (const NodeId& node : rollout.dead) {
    return Reason{Code::node_silent,
                  "node " + node.string() + " of the pool in use does not answer (" +
                      state.nodes.at(node).trouble + "); repair it or roll back before deploying"};
  }
  for (const NodeId& node : plan.to) {
    if (auto fine = check_peers(plan.peers, node, state.nodes.at(node).peers); !fine) {
      return Reason{Code::peers_differ, std::move(fine).error().message};
    }
  }
  return std::nullopt;
}

void begin_moving(const Turn& turn) {
  State& state = turn.state;
  find_clients(turn);
  state.rollout.phase = Phase::preparing;
  state.rollout.moving_began = turn.now;
  state.rollout.task = task::Prepare{};
  turn.say("preparing " + counted(state.movement.count<stage::Waiting>(), "client"));
  if (const std::size_t revoked = state.movement.revoked(); revoked != 0) {
    turn.say(counted(revoked, "active client") + (revoked == 1 ? " is" : " are") +
             " revoked: sessions end");
  }
  // Dead nodes must not wait: what packets taught about them goes before the first right is given.
  for (const NodeId& node : state.rollout.dead) {
    turn.say("node " + node.string() + " is left at once: " + state.nodes.at(node).trouble);
    turn.order(ForgetNode{node});
  }
  feed_old_pool(turn);
}

void end_survey(const Turn& turn, Instant began) {
  State& state = turn.state;
  if (!survey_complete(turn, began)) return;
  if (turn.plan.kind == Kind::rollback && state.rollout.targets.empty()) {
    return refuse(turn,
                  {Code::nothing_answers, "no node of pool " + turn.plan.to_pool.string() +
                                              " answers, so there is nothing to move to"},
                  Outcome::needs_person);
  }
  if (turn.plan.kind == Kind::deploy) {
    if (auto found = judge_survey(turn.plan, state)) return refuse(turn, std::move(*found));
  }
  state.movement.clear();
  // With dead nodes there is no time to lose: of leftovers, only rights of these end now.
  if (!state.rollout.dead.empty()) revoke_on_dead(turn);
  if (state.rollout.dead.empty() && state.rollout.surveys < 4 && find_leftovers(turn)) {
    state.rollout.phase = Phase::preparing;
    state.rollout.task = task::Clear{};
    return;
  }
  begin_moving(turn);
}

/// Looks once for clients that came to the old pool while the others were moved. False: not read
/// yet.
bool follow(const Turn& turn) {
  State& state = turn.state;
  if (!state.steering.known) return false;
  for (const NodeId& node : turn.plan.from) {
    const NodeView& view = state.nodes[node];
    if (!state.rollout.dead.contains(node) && !view.known && view.failures == 0) return false;
  }
  const std::size_t before = state.movement.count<stage::Waiting>();
  if (state.rollout.dead.empty()) find_clients(turn);
  const std::size_t came = state.movement.count<stage::Waiting>() - before;
  if (came != 0) {
    turn.say(counted(came, "more client") + " came to the pool that was left");
  }
  return true;
}

class Proceeding {
 public:
  explicit Proceeding(const Turn& turn) : turn_(turn), state_(turn.state) {}

  void operator()(const task::Survey& it) const { end_survey(turn_, it.began); }
  void operator()(const task::Clear&) const {
    if (busy()) return;
    survey(turn_, task::Survey{turn_.now});
  }
  void operator()(const task::Prepare&) const {
    if (state_.rollout.interrupted) return abandon_interrupted(turn_);
    if (auto lost = lost_target(turn_)) return abandon(turn_, *lost, Outcome::failed);
    if (any_preparing(state_.movement)) return;
    if (auto many = failures()) return abandon(turn_, *many, Outcome::failed);
    state_.rollout.phase = Phase::committing;
    turn_.say("committing " + counted(state_.movement.count<stage::Prepared>(), "client"));
    state_.rollout.task = task::Commit{};
  }
  void operator()(const task::Commit&) const {
    if (state_.rollout.interrupted && !nobody_is_left(turn_)) return abandon_interrupted(turn_);
    if (auto lost = lost_target(turn_)) return abandon(turn_, *lost, Outcome::rolled_back);
    if (auto many = failures()) return abandon(turn_, *many, Outcome::rolled_back);
    if (busy()) return;
    make_active();
  }
  void operator()(const task::Activate& it) const {
    const Steering& steering = state_.steering;
    if (it.waits != 0 || steering.delta != 0 || !steering.known) return;
    if (turn_.now >= steering.not_before) make_active();
  }
  void operator()(task::Follow& it) const {
    if (state_.rollout.interrupted && !nobody_is_left(turn_)) return abandon_interrupted(turn_);
    if (!it.followed) it.followed = follow(turn_);
    if (!it.followed || busy()) return;
    confirm_keys(turn_);
    if (!feeding(turn_)) conclude(turn_);
  }
  void operator()(const task::Abandon&) const {
    if (busy()) return;
    Rollout& rollout = state_.rollout;
    if (rollout.outcome == Outcome::rolled_back) {
      return finish(turn_, Outcome::rolled_back, Phase::rolling_back);
    }
    if (rollout.outcome == Outcome::needs_person || turn_.plan.kind == Kind::rollback) {
      return finish(turn_, Outcome::needs_person, Phase::committing);
    }
    rollout.task = task::Look{turn_.order(ReadDirector{})};
  }
  // These wait for their own commands.
  void operator()(const task::Start&) const {}
  void operator()(const task::Install&) const {}
  void operator()(const task::BringUp&) const {}
  void operator()(const task::Look&) const {}
  void operator()(const task::Stop&) const {}
  void operator()(const task::Remove&) const {}
  void operator()(const task::Finished&) const {}

 private:
  [[nodiscard]] bool busy() const {
    return state_.steering.delta != 0 || any_under_way(state_.movement);
  }
  [[nodiscard]] std::optional<Reason> failures() const {
    return turn_.plan.kind == Kind::deploy ? too_many(turn_) : std::nullopt;
  }
  void make_active() const {
    if (turn_.plan.kind == Kind::up) {
      if (!assign_peers(turn_)) finish_up();
    } else if (!activate(turn_)) {
      survey(turn_, task::Follow{});
    }
  }
  void finish_up() const { finish(turn_, Outcome::done, Phase::committed); }

  const Turn& turn_;
  State& state_;
};

nodelife::Sink sink_of(const Turn& turn) {
  return {[&turn](Command command) { return turn.order(std::move(command)); },
          [&turn](std::string line) { turn.say(std::move(line)); }};
}

void bring_up(const Turn& turn) {
  turn.state.rollout.phase = Phase::booting;
  turn.state.rollout.task = task::BringUp{nodelife::begin(wanted_of(turn.plan), sink_of(turn))};
}

/// The nodes live: whatever there is to move is moved now.
void nodes_are_up(const Turn& turn, nodelife::Life life) {
  Rollout& rollout = turn.state.rollout;
  rollout.probed = life.probed;
  rollout.fed = std::move(life.fed);
  rollout.booted = {life.booted.begin(), life.booted.end()};
  if (turn.plan.kind == Kind::deploy) return survey(turn, task::Survey{turn.now});
  if (!life.booted.empty()) rollout.proof = life.probed ? Proof::probe : Proof::nothing;
  rollout.phase = Phase::judging;
  rollout.task = task::Activate{};
  read_director(turn);
}

class Answering {
 public:
  Answering(const Turn& turn, const Event& event)
      : turn_(turn), event_(event), failed_(std::get_if<Failed>(&event.what)) {}

  void operator()(const task::Install& it) const {
    if (event_.echo != it.waits) return;
    if (failed_ != nullptr) {
      return refuse(turn_, {Code::director_failed, "director: " + failed_->error.message});
    }
    turn_.say("the director steers the public address to pool " + turn_.plan.to_pool.string());
    bring_up(turn_);
  }
  void operator()(task::BringUp& it) const {
    nodelife::step(wanted_of(turn_.plan), it.life, event_, sink_of(turn_));
    if (std::holds_alternative<nodelife::at::Up>(it.life.now)) {
      return nodes_are_up(turn_, std::move(it.life));
    }
    if (const auto* failed = std::get_if<nodelife::at::Failed>(&it.life.now)) {
      refuse(turn_, Reason(failed->why));
    }
  }
  void operator()(task::Activate& it) const {
    if (event_.echo != it.waits) return;
    it.waits = 0;
    if (failed_ != nullptr) return;  // the director is read again, and then it is ordered again
    if (turn_.plan.kind == Kind::up) return finish(turn_, Outcome::done, Phase::committed);
    survey(turn_, task::Follow{});
  }
  void operator()(const task::Look& it) const {
    if (event_.echo != it.waits) return;
    Rollout& rollout = turn_.state.rollout;
    if (failed_ != nullptr) return give_in();
    const auto* read = std::get_if<DirectorRead>(&event_.what);
    if (read == nullptr) return finish(turn_, rollout.outcome, Phase::rolled_back);
    // An earlier, interrupted rollout may have left clients on the pool that is to be stopped.
    for (const auto& [endpoint, node] : read->observed.steering.homes) {
      if (!contains(turn_.plan.to, node)) continue;
      turn_.say("pool " + turn_.plan.to_pool.string() + " is kept: clients live on it");
      return finish(turn_, Outcome::needs_person, Phase::committing);
    }
    const auto& active = read->observed.steering.active;
    const bool serving =
        turn_.plan.kind == Kind::deploy &&
        std::any_of(turn_.plan.to.begin(), turn_.plan.to.end(),
                    [&](const NodeId& node) { return director::serves(active, node); });
    if (serving) {
      turn_.say("pool " + turn_.plan.to_pool.string() + " is kept: it is the active one already");
      return finish(turn_, Outcome::needs_person, Phase::committing);
    }
    rollout.task = task::Stop{turn_.order(StopPool{})};
  }
  void operator()(const task::Stop& it) const {
    if (event_.echo != it.waits) return;
    if (failed_ != nullptr) return give_in();
    if (turn_.plan.kind == Kind::up && !turn_.plan.ground.steers) {
      turn_.state.rollout.task = task::Remove{turn_.order(RemoveDirector{})};
      return;
    }
    finish(turn_, turn_.state.rollout.outcome, Phase::rolled_back);
  }
  void operator()(const task::Remove& it) const {
    if (event_.echo != it.waits) return;
    if (failed_ != nullptr) return give_in();
    finish(turn_, turn_.state.rollout.outcome, Phase::rolled_back);
  }
  // These wait for what nodes and director say, whoever asked.
  void operator()(const task::Start&) const {}
  void operator()(const task::Survey&) const {}
  void operator()(const task::Clear&) const {}
  void operator()(const task::Prepare&) const {}
  void operator()(const task::Commit&) const {}
  void operator()(const task::Follow&) const {}
  void operator()(const task::Abandon&) const {}
  void operator()(const task::Finished&) const {}

 private:
  /// What was booted cannot be ended in order.
  void give_in() const {
    turn_.state.rollout.warnings.push_back({Code::failed, failed_->error.message});
    finish(turn_, turn_.state.rollout.outcome, Phase::rolled_back);
  }

  const Turn& turn_;
  const Event& event_;
  const Failed* failed_;
};

}  // namespace

std::string_view name_of(const Task& task) {
  constexpr std::array<std::string_view, std::variant_size_v<Task>> kTasks = {
      "start",    "install", "bring_up", "survey", "clear", "prepare", "commit",
      "activate", "follow",  "abandon",  "look",   "stop",  "remove",  "finished"};
  return kTasks.at(task.index());
}

nodelife::Wanted wanted_of(const Plan& plan) {
  nodelife::Wanted out;
  out.nodes = plan.to;
  out.release = plan.release ? &*plan.release : nullptr;
  out.in_time = plan.from;
  out.in_time.insert(out.in_time.end(), plan.to.begin(), plan.to.end());
  out.wrong_clocks = plan.wrong_clocks;
  out.max_clock_skew = plan.policy.max_clock_skew;
  if (plan.probe_source) {
    out.probing = plan.kind == Kind::up ? nodelife::Probing::booted : nodelife::Probing::all;
  }
  return out;
}

void survey(const Turn& turn, Task task) {
  turn.state.rollout.task = std::move(task);
  begin_survey(turn);
}

void set_out(const Turn& turn) {
  switch (turn.plan.kind) {
    case Kind::rollback:
      return survey(turn, task::Survey{turn.now});
    case Kind::deploy:
      return bring_up(turn);
    case Kind::up:
      if (turn.plan.ground.steers) return bring_up(turn);
      turn.state.rollout.phase = Phase::booting;
      turn.state.rollout.task = task::Install{
          turn.order(InstallDirector{first_intent(turn.plan), turn.plan.ground.settled})};
      return;
  }
}

void proceed(const Turn& turn) {
  std::visit(Proceeding(turn), turn.state.rollout.task);
}

void task_answered(const Turn& turn, const Event& event) {
  if (event.echo == 0) return;
  std::visit(Answering(turn, event), turn.state.rollout.task);
}

}  // namespace weir::deployer
