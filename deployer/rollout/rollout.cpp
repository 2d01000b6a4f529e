#include "deployer/rollout/rollout.h"

#include <algorithm>
#include <utility>

#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

/// Brings a node's table to what differs from it; both are in order.
PeerTable changed(const PeerTable& before, PeersChanged& changes) {
  std::vector<manifests::PeerState> out;
  out.reserve(before.size() + changes.put.size());
  const std::set<PublicKey> removed(changes.removed.begin(), changes.removed.end());
  for (const manifests::PeerState& peer : before) {
    if (!removed.contains(peer.public_key)) out.push_back(peer);
  }
  for (manifests::PeerState& peer : changes.put) out.push_back(std::move(peer));
  return PeerTable(std::move(out));  // what was put stands behind what it replaces
}

void peers_answered(const Turn& turn, NodeView& view, Event& event) {
  view.reading = 0;
  view.cost = turn.now - view.asked_at;
  view.answered_at = turn.now;
  if (const auto* failed = std::get_if<Failed>(&event.what)) {
    ++view.failures;
    view.trouble = failed->error.message;
    return;
  }
  if (auto* read = std::get_if<PeersRead>(&event.what)) {
    view.peers = PeerTable(std::move(read->dump.peers));
    view.clock_unix_ns = read->dump.clock_unix_ns;
  } else if (auto* changes = std::get_if<PeersChanged>(&event.what)) {
    view.peers = changed(view.peers, *changes);
    view.clock_unix_ns = changes->clock_unix_ns;
  } else {
    return;
  }
  view.read_at = view.asked_at;
  view.known = true;
  view.failures = 0;
}

/// A machine that halts while clients move is left by all at once.
void halted_answered(const Turn& turn, const Event& event) {
  State& state = turn.state;
  const auto* read = std::get_if<HaltedRead>(&event.what);
  state.machines.reading = 0;
  state.machines.halted = read != nullptr ? read->halted : std::set<NodeId>();
  state.machines.known = true;
  if (!moves_clients(state.rollout.task)) return;
  for (const NodeId& node : state.machines.halted) {
    const bool used = contains(state.rollout.targets, node) || contains(turn.plan.from, node);
    if (!used || state.rollout.dead.contains(node) || !state.rollout.lost.insert(node).second) {
      continue;
    }
    turn.say("the machine of node " + node.string() + " is frozen or gone");
  }
}

/// Clocks that drifted since the nodes were fed; what cannot be set shows in handshakes.
void clock_answered(const Turn& turn, NodeView& view, const Event& event) {
  view.timing = 0;
  const auto* read = std::get_if<ClocksRead>(&event.what);
  if (read == nullptr) return;
  auto late = nodelife::drifted(read->ahead, {}, turn.plan.wrong_clocks);
  if (!late.empty()) turn.order(SetClocks{std::move(late)});
}

void interrupt(const Turn& turn) {
  State& state = turn.state;
  if (!std::exchange(state.rollout.interrupted, true)) state.rollout.interrupted_at = turn.now;
  const auto early = Overloaded{
      [](const task::Start&) { return true; },   [](const task::Install&) { return true; },
      [](const task::BringUp&) { return true; }, [](const task::Survey&) { return true; },
      [](const task::Clear&) { return false; },  [](const task::Prepare&) { return false; },
      [](const task::Commit&) { return false; }, [](const task::Activate&) { return false; },
      [](const task::Follow&) { return false; }, [](const task::Abandon&) { return false; },
      [](const task::Look&) { return false; },   [](const task::Stop&) { return false; },
      [](const task::Remove&) { return false; }, [](const task::Finished&) { return false; },
  };
  if (!std::visit(early, state.rollout.task)) {
    const bool moving =
        does<task::Commit>(state) || does<task::Activate>(state) || does<task::Follow>(state);
    if (moving && nobody_is_left(turn))
      turn.say("interrupted when nobody was left to move: finishing");
    return;
  }
  refuse(turn, {Code::interrupted, "interrupted: nobody was moved"});
}

void take(const Turn& turn, Event& event) {
  State& state = turn.state;
  if (std::holds_alternative<Interrupted>(event.what)) return interrupt(turn);
  if (event.echo == 0) return;
  for (auto& [node, view] : state.nodes) {
    if (view.reading == event.echo) return peers_answered(turn, view, event);
    if (view.feeding == event.echo) return fed(turn, node, view, event);
    if (view.timing == event.echo) return clock_answered(turn, view, event);
  }
  if (event.echo == state.rollout.confirming) return keys_confirmed(turn, event);
  if (event.echo == state.machines.reading) return halted_answered(turn, event);
  if (event.echo == state.steering.reading) return director_answered(turn, event);
  if (event.echo == state.steering.delta) {
    delta_answered(turn, event);
    return task_answered(turn, event);
  }
  const auto* failed = std::get_if<Failed>(&event.what);
  clients_answered(turn, event.echo, failed == nullptr ? nullptr : &failed->error);
  task_answered(turn, event);
}

}  // namespace

bool moves_clients(const Task& task) {
  return std::visit(Overloaded{
                        [](const task::Start&) { return false; },
                        [](const task::Install&) { return false; },
                        [](const task::BringUp&) { return false; },
                        [](const task::Survey&) { return false; },
                        [](const task::Clear&) { return true; },
                        [](const task::Prepare&) { return true; },
                        [](const task::Commit&) { return true; },
                        [](const task::Activate&) { return true; },
                        [](const task::Follow&) { return true; },
                        [](const task::Abandon&) { return true; },
                        [](const task::Look&) { return false; },
                        [](const task::Stop&) { return false; },
                        [](const task::Remove&) { return false; },
                        [](const task::Finished&) { return false; },
                    },
                    task);
}

bool finished(const State& state) {
  return does<task::Finished>(state);
}

bool activated(const State& state) {
  if (does<task::Follow>(state)) return true;
  return finished(state) && state.rollout.outcome == Outcome::done;
}

State start(const Plan& plan) {
  State state;
  state.rollout.phase = plan.kind == Kind::rollback ? Phase::rolling_back : Phase::planned;
  state.steering.applied.emplace(plan.director, director::Applied{});
  return state;
}

void break_off(State& state, Reason why) {
  Roster& clients = state.movement;
  for (Roster::Id id = 0; id < clients.size(); ++id) {
    Client& client = clients.change(id);
    const bool settled =
        is<stage::Waiting>(client) || is<stage::Moved>(client) || is<stage::Stayed>(client);
    if (client.why || settled) continue;
    client.why = Reason{why.code, "was under way (" + std::string(name_of(client.stage)) + ")"};
  }
  state.rollout.task = task::Finished{};
  state.rollout.outcome = Outcome::needs_person;
  state.rollout.refusal = std::move(why);
}

Step step(const Plan& plan, State& state, Event event, Instant now) {
  Step out;
  const Turn turn{plan, state, now, out};
  if (finished(state)) return out;
  if (does<task::Start>(state)) set_out(turn);
  take(turn, event);
  mind_director(turn);
  proceed(turn);
  // `up` has nobody to move.
  if (plan.kind != Kind::up && moves_clients(state.rollout.task)) {
    advance_clients(turn);
    poll(turn);
    proceed(turn);
  }
  tell_waiting(turn);
  return out;
}

}  // namespace weir::deployer
