#include <algorithm>

#include "deployer/rollout/checks.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

void enter(Turn& turn, Task task) {
  turn.state.task = task;
  turn.state.waits = 0;
}

void order_task(Turn& turn, Task task, Command command) {
  enter(turn, task);
  turn.state.waits = turn.order(std::move(command));
}

void finish(Turn& turn, Outcome outcome, Phase phase) {
  enter(turn, Task::finished);
  turn.state.outcome = outcome;
  turn.state.phase = phase;
}

/// Ends the rollout because of `error`. Before steering was touched this stops what was booted;
/// after that everybody who was prepared is given up first.
void refuse(Turn& turn, Error error, Outcome outcome = Outcome::failed) {
  State& state = turn.state;
  turn.say("stopping: " + error.message);
  if (!state.error) state.error = std::move(error);
  state.outcome = outcome;
  if (turn.plan.kind == Kind::rollback) {
    return finish(turn, Outcome::needs_person, state.phase);
  }
  state.phase = Phase::rolling_back;
  order_task(turn, Task::stop, ReadDirector{});
}

void abandon(Turn& turn, Error error, Outcome outcome) {
  State& state = turn.state;
  turn.say("giving everybody up: " + error.message);
  state.error = std::move(error);
  state.outcome = outcome;
  state.phase = Phase::rolling_back;
  enter(turn, Task::abandon);
}

std::map<NodeId, std::map<PublicKey, manifests::PeerState>> peers_of(
    const State& state, const std::vector<NodeId>& nodes) {
  std::map<NodeId, std::map<PublicKey, manifests::PeerState>> out;
  for (const NodeId& node : nodes) {
    if (const auto view = state.nodes.find(node); view != state.nodes.end() && view->second.known) {
      out.emplace(node, view->second.peers);
    }
  }
  return out;
}

/// What a survey found that must stop a deploy.
Status judge_survey(const Plan& plan, const State& state) {
  for (const NodeId& node : plan.to) {
    if (!contains(state.targets, node)) {
      return fail(Errc::timeout, "node " + node.string() +
                                     " does not give its peers: " + state.nodes.at(node).trouble);
    }
  }
  for (const NodeId& node : state.dead) {
    return fail(Errc::timeout, "node " + node.string() + " of the pool in use does not answer (" +
                                   state.nodes.at(node).trouble +
                                   "); repair it or roll back before deploying");
  }
  return compare_peers(plan.peers, peers_of(state, plan.from), peers_of(state, plan.to))
      .map([](const PeerComparison&) {});
}

void survey(Turn& turn, Task task) {
  enter(turn, task);
  begin_survey(turn);
}

void begin_moving(Turn& turn) {
  State& state = turn.state;
  find_clients(turn);
  state.phase = Phase::preparing;
  state.moving_began = turn.now;
  enter(turn, Task::prepare);
  turn.say("preparing " + std::to_string(count_in(state, {Stage::waiting})) + " clients");
  // Dead nodes must not wait: what packets taught about them goes before the first right is given.
  for (const NodeId& node : state.dead) {
    turn.say("node " + node.string() + " is left at once: " + state.nodes.at(node).trouble);
    turn.order(ForgetNode{node});
  }
}

void end_survey(Turn& turn) {
  State& state = turn.state;
  if (!survey_complete(turn)) return;
  if (turn.plan.kind == Kind::rollback && state.targets.empty()) {
    return refuse(turn,
                  Error{Errc::not_found, 0,
                        "no node of pool " + turn.plan.to_pool.string() +
                            " answers, so there is nothing to move to"},
                  Outcome::needs_person);
  }
  if (turn.plan.kind == Kind::deploy) {
    if (auto fine = judge_survey(turn.plan, state); !fine)
      return refuse(turn, std::move(fine).error());
    if (state.task == Task::survey) return order_task(turn, Task::clocks, ReadClocks{});
  }
  state.clients.clear();
  if (state.dead.empty() && state.surveys < 4 && find_leftovers(turn)) {
    state.phase = Phase::preparing;
    return enter(turn, Task::clear);
  }
  begin_moving(turn);
}

/// How many clients could not be moved, and whether that is too many.
std::optional<Error> too_many(const Turn& turn) {
  const State& state = turn.state;
  std::size_t failed = 0;
  std::string names;
  for (const auto& [key, client] : state.clients) {
    if (client.stage != Stage::stayed || !client.counted) continue;
    if (++failed <= 5)
      names += (failed == 1 ? "" : "; ") + shown(turn.plan, key) + ": " + client.why;
  }
  if (failed == 0) return std::nullopt;
  const std::size_t allowed =
      turn.plan.strict ? 0 : state.clients.size() * turn.plan.policy.max_failed.value / 1000;
  if (failed <= allowed) return std::nullopt;
  return Error{
      Errc::exhausted, 0,
      std::to_string(failed) + " of " + std::to_string(state.clients.size()) +
          " active clients cannot be moved, " + std::to_string(allowed) + " would be allowed (" +
          (turn.plan.strict
               ? std::string("--strict")
               : "policy.max_failed: " + std::to_string(turn.plan.policy.max_failed.value) +
                     " per mille") +
          "): " + names + (failed > 5 ? "; and others" : "")};
}

/// A node that clients are moved to halted: a deploy does not go on with what is left of its pool.
std::optional<Error> lost_target(const Turn& turn) {
  if (turn.plan.kind != Kind::deploy) return std::nullopt;
  for (const NodeId& node : turn.state.targets) {
    if (!turn.state.lost.contains(node)) continue;
    return Error{Errc::timeout, 0, "the machine of node " + node.string() + " is frozen or gone"};
  }
  return std::nullopt;
}

constexpr std::initializer_list<Stage> kPreparing = {
    Stage::doubted, Stage::adopting, Stage::waiting,   Stage::granting,   Stage::kicking,
    Stage::kicked,  Stage::revoking, Stage::regarding, Stage::forgetting, Stage::unholding};
constexpr std::initializer_list<Stage> kUnderWay = {
    Stage::doubted,    Stage::adopting,  Stage::waiting,   Stage::granting,
    Stage::kicking,    Stage::kicked,    Stage::prepared,  Stage::switching,
    Stage::releasing,  Stage::switched,  Stage::revoking,  Stage::regarding,
    Stage::forgetting, Stage::unholding, Stage::returning, Stage::recalling};

void abandon_interrupted(Turn& turn) {
  const std::size_t moved = count_in(turn.state, {Stage::moved, Stage::switched, Stage::releasing});
  Error error{Errc::busy, 0, "interrupted: "};
  if (moved == 0) {
    error.message += "nobody was moved";
    return abandon(turn, std::move(error), Outcome::failed);
  }
  error.message += std::to_string(moved) + " of " + std::to_string(turn.state.clients.size()) +
                   " clients are moved; deploy again to finish, or roll back";
  abandon(turn, std::move(error), Outcome::needs_person);
}

void activate(Turn& turn) {
  State& state = turn.state;
  state.phase = Phase::judging;
  enter(turn, Task::activate);
  director::Steering wanted = state.steering;
  wanted.active = state.targets;
  std::set<Endpoint> staying;
  std::set<PublicKey> stayed;
  for (const auto& [key, client] : state.clients) {
    if (client.stage != Stage::stayed || client.rescue) continue;
    staying.insert(client.endpoint);
    stayed.insert(key);
    // From now on strangers go to the new pool; who stays must be known by name.
    wanted.homes.insert_or_assign(client.endpoint, client.from);
  }
  std::erase_if(wanted.homes, [&](const auto& it) {
    return contains(turn.plan.from, it.second) && !staying.contains(it.first);
  });
  for (const auto& [key, peer] : turn.plan.peers) {
    if (stayed.contains(key)) continue;
    const auto client = state.clients.find(key);
    const NodeId& node =
        client != state.clients.end() ? client->second.to : node_for(key, state.targets);
    for (const Prefix& prefix : peer.allowed_ips) wanted.assigned.insert_or_assign(prefix, node);
  }
  turn.say("active pool is " + turn.plan.to_pool.string());
  state.waits = propose(turn, std::move(wanted));
  if (state.waits == 0) survey(turn, Task::follow);
}

void conclude(Turn& turn) {
  State& state = turn.state;
  std::size_t failed = 0;
  for (const auto& [key, client] : state.clients) {
    failed += client.stage == Stage::stayed && client.counted ? 1 : 0;
  }
  if (turn.plan.kind == Kind::rollback) {
    if (failed != 0) {
      state.error =
          Error{Errc::exhausted, 0,
                std::to_string(failed) + " clients could not be moved back and stay on pool " +
                    turn.plan.from_pool.string()};
    }
    return finish(turn, failed == 0 ? Outcome::done : Outcome::needs_person, Phase::rolled_back);
  }
  finish(turn, Outcome::done, Phase::committed);
}

/// Looks once for clients that came to the old pool while the others were moved. False: not read
/// yet.
bool follow(Turn& turn) {
  State& state = turn.state;
  if (!state.director_known) return false;
  for (const NodeId& node : turn.plan.from) {
    const NodeView& view = state.nodes[node];
    if (!state.dead.contains(node) && !view.known && view.failures == 0) return false;
  }
  const std::size_t before = count_in(state, {Stage::waiting});
  if (state.dead.empty()) find_clients(turn);
  const std::size_t came = count_in(state, {Stage::waiting}) - before;
  if (came != 0) {
    turn.say(std::to_string(came) + " more clients came to pool " + turn.plan.from_pool.string());
  }
  state.followed = true;
  return true;
}

/// What the current task does when nothing outstanding holds it up.
void proceed(Turn& turn) {
  State& state = turn.state;
  switch (state.task) {
    case Task::survey:
    case Task::resurvey:
      return end_survey(turn);
    case Task::clear:
      if (state.delta != 0 || any_in(state, kUnderWay)) return;
      return survey(turn, Task::resurvey);
    case Task::prepare: {
      if (state.interrupted) return abandon_interrupted(turn);
      if (auto lost = lost_target(turn)) return abandon(turn, *lost, Outcome::failed);
      if (any_in(state, kPreparing)) return;
      const auto error = turn.plan.kind == Kind::deploy ? too_many(turn) : std::nullopt;
      if (error) return abandon(turn, *error, Outcome::failed);
      state.phase = Phase::committing;
      turn.say("committing " + std::to_string(count_in(state, {Stage::prepared})) + " clients");
      return enter(turn, Task::commit);
    }
    case Task::commit: {
      if (state.interrupted) return abandon_interrupted(turn);
      if (auto lost = lost_target(turn)) return abandon(turn, *lost, Outcome::rolled_back);
      const auto error = turn.plan.kind == Kind::deploy ? too_many(turn) : std::nullopt;
      if (error) return abandon(turn, *error, Outcome::rolled_back);
      if (state.delta != 0 || any_in(state, kUnderWay)) return;
      return activate(turn);
    }
    case Task::activate:
      if (state.waits == 0 && state.delta == 0 && state.director_known) activate(turn);
      return;
    case Task::follow:
      if (state.interrupted) return abandon_interrupted(turn);
      if (!state.followed && !follow(turn)) return;
      if (state.delta != 0 || any_in(state, kUnderWay)) return;
      return conclude(turn);
    case Task::abandon:
      if (state.delta != 0 || any_in(state, kUnderWay)) return;
      if (state.outcome == Outcome::rolled_back) {
        return finish(turn, Outcome::rolled_back, Phase::rolling_back);
      }
      if (state.outcome == Outcome::needs_person || turn.plan.kind == Kind::rollback) {
        return finish(turn, Outcome::needs_person, Phase::committing);
      }
      return order_task(turn, Task::stop, ReadDirector{});
    default:
      return;
  }
}

/// The command that the task is about was answered well.
void task_answered(Turn& turn, const Event& event) {
  State& state = turn.state;
  state.waits = 0;
  switch (state.task) {
    case Task::boot:
      return order_task(turn, Task::identities, ReadIdentities{});
    case Task::identities: {
      const auto* read = std::get_if<IdentitiesRead>(&event.what);
      if (read == nullptr || !turn.plan.release) return;
      for (const manifests::NodeIdentity& identity : read->nodes) {
        if (auto fine = check_identity(*turn.plan.release, identity); !fine) {
          return refuse(turn, std::move(fine).error());
        }
      }
      return order_task(turn, Task::feed, FeedPool{});
    }
    case Task::feed:
      return survey(turn, Task::survey);
    case Task::clocks: {
      const auto* read = std::get_if<ClocksRead>(&event.what);
      if (read == nullptr) return;
      if (auto fine = check_clocks(read->ahead, turn.plan.policy.max_clock_skew); !fine) {
        return refuse(turn, std::move(fine).error());
      }
      if (!turn.plan.probe_source) return survey(turn, Task::resurvey);
      return order_task(turn, Task::probe, ProbePool{});
    }
    case Task::probe:
      return survey(turn, Task::resurvey);
    case Task::activate:
      return survey(turn, Task::follow);
    case Task::stop: {
      const auto* read = std::get_if<DirectorRead>(&event.what);
      if (read == nullptr) return finish(turn, state.outcome, Phase::rolled_back);
      // An earlier, interrupted rollout may have left clients on the pool that is to be stopped.
      bool inhabited = false;
      for (const auto& [endpoint, node] : read->observed.steering.homes) {
        inhabited = inhabited || contains(turn.plan.to, node);
      }
      if (inhabited) {
        turn.say("pool " + turn.plan.to_pool.string() + " is kept: clients live on it");
        return finish(turn, Outcome::needs_person, Phase::committing);
      }
      return order_task(turn, Task::stop, StopPool{});
    }
    default:
      return;
  }
}

void task_failed(Turn& turn, Error error) {
  State& state = turn.state;
  state.waits = 0;
  if (state.task == Task::stop) {
    state.warnings.push_back(error.message);
    return finish(turn, state.outcome, Phase::rolled_back);
  }
  refuse(turn, std::move(error));
}

void peers_answered(Turn& turn, NodeView& view, const Event& event) {
  view.reading = 0;
  view.cost = turn.now - view.asked_at;
  view.answered_at = turn.now;
  if (const auto* read = std::get_if<PeersRead>(&event.what)) {
    view.peers.clear();
    for (const manifests::PeerState& peer : read->dump.peers) {
      view.peers.insert_or_assign(peer.public_key, peer);
    }
    view.clock_unix_ns = read->dump.clock_unix_ns;
    view.read_at = view.asked_at;
    view.known = true;
    view.failures = 0;
  } else if (const auto* failed = std::get_if<Failed>(&event.what)) {
    ++view.failures;
    view.trouble = failed->error.message;
  }
}

void delta_answered(Turn& turn, const Event& event) {
  State& state = turn.state;
  const CommandId id = std::exchange(state.delta, 0);
  const auto* failed = std::get_if<Failed>(&event.what);
  if (failed == nullptr) {
    state.steering = std::move(*state.proposed);
  } else {
    turn.say("the director refused: " + failed->error.message);
    read_director(turn);
  }
  state.proposed.reset();
  clients_answered(turn, id, failed == nullptr ? nullptr : &failed->error);
  if (state.waits != id) return;
  if (failed == nullptr) return task_answered(turn, event);
  state.waits = 0;
}

/// A machine that halts while clients move is left by all at once.
void halted_answered(Turn& turn, const Event& event) {
  State& state = turn.state;
  const auto* read = std::get_if<HaltedRead>(&event.what);
  state.reading_halted = 0;
  state.halted = read != nullptr ? read->halted : std::set<NodeId>();
  state.halted_known = true;
  if (state.task < Task::clear || state.task >= Task::stop) return;
  for (const NodeId& node : state.halted) {
    const bool used = contains(state.targets, node) || contains(turn.plan.from, node);
    if (!used || state.dead.contains(node) || !state.lost.insert(node).second) continue;
    turn.say("the machine of node " + node.string() + " is frozen or gone");
  }
}

void director_answered(Turn& turn, const Event& event) {
  State& state = turn.state;
  state.reading_director = 0;
  if (const auto* read = std::get_if<DirectorRead>(&event.what)) {
    state.steering = read->observed.steering;
    state.learned_homes = read->observed.learned.homes;
    state.director_known = true;
    return;
  }
  const auto* failed = std::get_if<Failed>(&event.what);
  if (failed == nullptr) return;
  if (!state.touched) return refuse(turn, failed->error);
  turn.say("the director cannot be read: " + failed->error.message);
  read_director(turn);  // half a movement must not be left lying
}

void take(Turn& turn, const Event& event) {
  State& state = turn.state;
  if (std::holds_alternative<Interrupted>(event.what)) {
    state.interrupted = true;
    const bool early = state.task < Task::clear;
    if (early && state.task != Task::stop) {
      refuse(turn, Error{Errc::busy, 0, "interrupted: nobody was moved"});
    }
    return;
  }
  if (event.echo == 0) return;
  for (auto& [node, view] : state.nodes) {
    if (view.reading == event.echo) return peers_answered(turn, view, event);
  }
  if (event.echo == state.delta) return delta_answered(turn, event);
  if (event.echo == state.reading_halted) return halted_answered(turn, event);
  if (event.echo == state.reading_director) return director_answered(turn, event);
  if (event.echo == state.waits) {
    if (const auto* failed = std::get_if<Failed>(&event.what))
      return task_failed(turn, failed->error);
    return task_answered(turn, event);
  }
  const auto* failed = std::get_if<Failed>(&event.what);
  clients_answered(turn, event.echo, failed == nullptr ? nullptr : &failed->error);
}

}  // namespace

State start(const Plan& plan) {
  State state;
  state.phase = plan.kind == Kind::deploy ? Phase::planned : Phase::rolling_back;
  return state;
}

Step step(const Plan& plan, State state, const Event& event, Instant now) {
  Step out{std::move(state), {}, {}};
  Turn turn{plan, out.state, now, out.commands, out.reasons};
  if (out.state.task == Task::finished) return out;
  if (out.state.phase == Phase::planned) {
    out.state.phase = Phase::booting;
    order_task(turn, Task::boot, BootPool{});
  } else if (out.state.surveys == 0 && plan.kind == Kind::rollback) {
    survey(turn, Task::resurvey);
  }
  take(turn, event);
  proceed(turn);
  if (out.state.task >= Task::clear && out.state.task < Task::stop) {
    advance_clients(turn);
    poll(turn);
    proceed(turn);
  }
  return out;
}

}  // namespace weir::deployer
