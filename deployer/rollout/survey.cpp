#include <algorithm>

#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

/// A node whose machine runs, but which is silent this long while its pool is left, counts as dead.
/// A busy one may take more than a second to answer; a frozen or ended machine is known at once.
constexpr milliseconds kRescuePatience{2000};
constexpr milliseconds kPatience{15000};

}  // namespace

const manifests::PeerState* peer_on(const State& state, const NodeId& node, const PublicKey& key) {
  const auto view = state.nodes.find(node);
  return view == state.nodes.end() ? nullptr : view->second.peers.find(key);
}

bool contains(const std::vector<NodeId>& nodes, const NodeId& node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::optional<NodeId> home_of(const State& state, const Endpoint& client) {
  const Steering& steering = state.steering;
  if (const auto set = steering.intent.homes.find(client); set != steering.intent.homes.end()) {
    return set->second;
  }
  if (const auto learned = steering.learned_homes.find(client);
      learned != steering.learned_homes.end()) {
    return learned->second;
  }
  return std::nullopt;
}

void read_director(const Turn& turn) {
  turn.state.steering.known = false;
  turn.state.steering.reading = turn.order(ReadDirector{});
}

void read_peers(const Turn& turn, const NodeId& node, NodeView& view) {
  view.asked_at = turn.now;
  view.reading = turn.order(ReadPeers{node});
}

void begin_survey(const Turn& turn) {
  State& state = turn.state;
  ++state.rollout.surveys;
  // A warm pool may know what the registry knew when it was left.
  const bool feed = turn.plan.kind == Kind::rollback && state.rollout.surveys == 1;
  state.machines.known = false;
  state.machines.reading = turn.order(ReadHalted{});
  read_director(turn);
  for (const auto* nodes : {&turn.plan.to, &turn.plan.from}) {
    for (const NodeId& node : *nodes) {
      NodeView& view = state.nodes[node];
      view.known = false;
      view.failures = 0;
      view.trouble.clear();
      if (feed && nodes == &turn.plan.to) {
        view.feeding = turn.order(FeedChanges{node});
        view.timing = turn.order(ReadClocks{{node}});
      } else {
        read_peers(turn, node, view);
      }
    }
  }
}

bool survey_complete(const Turn& turn, Instant began) {
  State& state = turn.state;
  if (!state.steering.known || !state.machines.known) return false;
  const bool hurry = turn.plan.kind == Kind::rollback;
  std::vector<NodeId> targets;
  std::set<NodeId> dead;
  bool target_answered = false;
  for (const NodeId& node : turn.plan.to) {
    target_answered = target_answered || state.nodes[node].known;
  }
  for (const auto* nodes : {&turn.plan.to, &turn.plan.from}) {
    for (const NodeId& node : *nodes) {
      const bool target = nodes == &turn.plan.to;
      NodeView& view = state.nodes[node];
      if (view.known) {
        if (target) targets.push_back(node);
        continue;
      }
      // Who is being fed is heard of when that is over, and asked only then.
      if (view.feeding != 0 && !state.machines.halted.contains(node)) return false;
      const bool patient = !hurry || (target && !target_answered);
      const milliseconds waited = turn.now - std::max(began, view.asked_at);
      const bool silent = waited >= (patient ? kPatience : kRescuePatience);
      if (!state.machines.halted.contains(node) && view.failures == 0 && !silent) return false;
      if (view.trouble.empty()) {
        view.trouble =
            state.machines.halted.contains(node) ? "its machine is frozen or gone" : "no answer";
      }
      if (!target) dead.insert(node);
    }
  }
  state.rollout.targets = std::move(targets);
  state.rollout.dead = std::move(dead);
  state.rollout.lost.clear();
  state.steering.dead_left = false;
  return true;
}

}  // namespace weir::deployer
