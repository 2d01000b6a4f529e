#include <algorithm>

#include "deployer/rollout/movement/times.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

using Id = Roster::Id;

/// Whether a prepared client can be switched now, by a reading of its old node since; else it
/// starts over.
bool ready_to_switch(const Turn& turn, Id id, const manifests::PeerState* old) {
  Client& client = turn.client(id);
  const bool moved_away = old != nullptr && old->endpoint && *old->endpoint != client.endpoint;
  const bool rekeyed = old != nullptr && old->last_handshake_unix_ns != client.from_handshake;
  if (!moved_away && !rekeyed && turn.now - client.since < kPreparedLife) return true;
  turn.say(shown(turn.plan, client.key) + " is prepared again: " +
           (moved_away ? "it roamed"
            : rekeyed  ? "it made a new handshake"
                       : "its session aged"));
  if (moved_away) {
    client.endpoint = *old->endpoint;
    turn.note_resident(client);
    turn.enter(id, stage::Granting{{}, turn.now});
  } else {
    turn.enter(id, stage::Kicking{{}, turn.now});
  }
  return false;
}

/// Whether a reading of the old node can say something of clients prepared at `since`.
bool says_something(const Turn& turn, const NodeId& from, Instant since) {
  const State& state = turn.state;
  if (deaf(state, from)) return true;
  const NodeView& view = state.nodes.at(from);
  return view.known && view.read_at >= since && turn.now - view.answered_at <= kSpent;
}

void switch_prepared(const Turn& turn, const NodeId& from, std::size_t& in_flight) {
  const State& state = turn.state;
  const Roster& clients = state.movement;
  auto next = clients.first<stage::Prepared>(from);
  while (next && in_flight < turn.plan.policy.batch) {
    const Id id = *next;
    next = clients.after(id);
    const Client& client = clients[id];
    // In the order in which they were prepared: who follows is no older.
    if (!says_something(turn, from, client.since)) return;
    const auto* old = fresh(state, from, client.key, client.since);
    if (old == nullptr && !deaf(state, from)) continue;
    if (!ready_to_switch(turn, id, old)) continue;
    ++in_flight;
    turn.enter(id, stage::Switching{});
  }
}

/// Initiations that a node has without an answer, or is about to have.
std::size_t unconfirmed(const Roster& clients, const NodeId& to) {
  std::size_t out = clients.count_to<stage::Granting, stage::Kicking, stage::Kicked>(to);
  // Of those that switch at once, only the rescued are called afterwards.
  for (const Id id : clients.ids<stage::Switching>(to)) {
    out += clients[id].way == Way::rescue ? 1 : 0;
  }
  return out;
}

void begin_waiting(const Turn& turn, const NodeId& to) {
  const Roster& clients = turn.state.movement;
  if (clients.count_to<stage::Waiting>(to) == 0) return;
  const std::size_t limit = std::min(turn.plan.policy.batch, kMaxUnconfirmed);
  std::size_t busy = unconfirmed(clients, to);
  while (busy < limit) {
    const auto id = clients.first<stage::Waiting>(to);
    if (!id) return;
    ++busy;
    if (clients[*id].way == Way::rescue) {
      turn.enter(*id, stage::Switching{});
    } else {
      turn.enter(*id, stage::Granting{});
    }
  }
}

}  // namespace

void admit(const Turn& turn) {
  const State& state = turn.state;
  const Roster& clients = state.movement;
  if (state.rollout.interrupted) return;
  const bool committing = does<task::Commit>(state) || does<task::Follow>(state);
  if (!committing && !does<task::Prepare>(state)) return;
  for (const auto& [node, _] : state.nodes) begin_waiting(turn, node);
  if (!committing) return;
  std::size_t in_flight = clients.count<stage::Switching, stage::Releasing, stage::Switched>();
  for (const auto& [node, _] : state.nodes) switch_prepared(turn, node, in_flight);
}

}  // namespace weir::deployer
