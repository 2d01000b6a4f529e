#include <algorithm>

#include "deployer/rollout/movement/times.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

using Id = Roster::Id;

/// Those of a stage and node that may ask now.
template <class S>
std::vector<Id> due(const Turn& turn, const NodeId& node) {
  std::vector<Id> out = turn.state.movement.ids<S>(node);
  std::erase_if(
      out, [&](Id id) { return std::get<S>(turn.state.movement[id].stage).not_before > turn.now; });
  return out;
}

std::vector<PublicKey> keys_of(const Turn& turn, const std::vector<Id>& ids) {
  std::vector<PublicKey> out;
  out.reserve(ids.size());
  for (const Id id : ids) out.push_back(turn.state.movement[id].key);
  return out;
}

void wait(const Turn& turn, const std::vector<Id>& ids, CommandId command) {
  for (const Id id : ids) turn.state.movement.wait(id, command);
}

void kick(const Turn& turn, const NodeId& node, const std::vector<Id>& ids) {
  if (ids.empty()) return;
  Kick order{node, {}};
  order.clients.reserve(ids.size());
  for (const Id id : ids) {
    const Client& client = turn.client(id);
    order.clients.push_back({client.key, client.endpoint});
    ++turn.client(id).kicks;
  }
  wait(turn, ids, turn.order(std::move(order)));
}

void kick_new(const Turn& turn, const NodeId& node) {
  const auto ids = due<stage::Kicking>(turn, node);
  for (const Id id : ids) {
    Client& client = turn.client(id);
    const auto* old = peer_on(turn.state, client.from, client.key);
    if (old != nullptr) client.from_handshake = old->last_handshake_unix_ns;
    const auto* now = peer_on(turn.state, client.to, client.key);
    if (now != nullptr) client.to_handshake = now->last_handshake_unix_ns;
    auto& kicking = std::get<stage::Kicking>(client.stage);
    if (kicking.first_kick == Instant{0}) kicking.first_kick = turn.now;
  }
  kick(turn, node, ids);
}

void kick_old(const Turn& turn, const NodeId& node) {
  const auto ids = due<stage::Recalling>(turn, node);
  for (const Id id : ids) {
    std::get<stage::Recalling>(turn.client(id).stage).old.read = Instant{0};
  }
  kick(turn, node, ids);
}

void commit(const Turn& turn, const NodeId& node) {
  const auto ids = due<stage::Releasing>(turn, node);
  if (ids.empty()) return;
  for (const Id id : ids) {
    Client& client = turn.client(id);
    if (client.committed == Instant{0}) client.committed = turn.now;
  }
  wait(turn, ids, turn.order(Commit{node, keys_of(turn, ids)}));
}

void forget(const Turn& turn, const NodeId& node) {
  const auto ids = due<stage::Forgetting>(turn, node);
  if (!ids.empty()) wait(turn, ids, turn.order(GiveUp{node, keys_of(turn, ids)}));
}

/// Which nodes somebody waits to see the peers of.
bool watched(const State& state, const NodeId& node) {
  const Roster& clients = state.movement;
  const bool committing = does<task::Commit>(state) || does<task::Follow>(state);
  return clients.count_to<stage::Doubted, stage::Kicked, stage::Regarding, stage::Switching,
                          stage::Releasing, stage::Switched>(node) != 0 ||
         clients.count_from<stage::Recalling, stage::Switching, stage::Releasing, stage::Switched>(
             node) != 0 ||
         (committing && clients.count_from<stage::Prepared>(node) != 0);
}

}  // namespace

void order_of_nodes(const Turn& turn) {
  for (const auto& [node, _] : turn.state.nodes) kick_new(turn, node);
  for (const auto& [node, _] : turn.state.nodes) kick_old(turn, node);
  for (const auto& [node, _] : turn.state.nodes) commit(turn, node);
  for (const auto& [node, _] : turn.state.nodes) forget(turn, node);
}

void poll(const Turn& turn) {
  State& state = turn.state;
  if (state.machines.reading == 0 && turn.now - state.machines.asked > kLookAtMachines) {
    state.machines.asked = turn.now;
    state.machines.reading = turn.order(ReadHalted{});
  }
  // Who has no session any more is looked at as often as it can be.
  const bool hasty = !state.rollout.dead.empty() && state.movement.any<stage::Kicked>();
  for (auto& [node, view] : state.nodes) {
    if (!watched(state, node) || view.reading != 0 || state.rollout.dead.contains(node) ||
        state.rollout.lost.contains(node)) {
      continue;
    }
    const milliseconds pause = std::max(milliseconds(hasty ? 20 : 60), 2 * view.cost);
    if (turn.now - view.asked_at >= pause) read_peers(turn, node, view);
  }
}

}  // namespace weir::deployer
