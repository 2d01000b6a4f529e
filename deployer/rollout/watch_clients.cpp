#include <algorithm>

#include "deployer/rollout/movement/times.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;
using Id = Roster::Id;

/// The handshake with `to` is there: proved, and for a client without a hold already in use.
void handshake_seen(const Turn& turn, Id id, const manifests::PeerState& peer) {
  Client& client = turn.client(id);
  client.to_handshake = peer.last_handshake_unix_ns;
  if (client.way == Way::held) {
    client.to_rx = peer.rx_bytes;
    return turn.enter(id, stage::Prepared{});
  }
  client.to_rx = kResponseBytes;
  turn.enter(id, stage::Switched{});
}

void watch_kicked(const Turn& turn, Id id) {
  const State& state = turn.state;
  Client& client = turn.client(id);
  const auto first_kick = std::get<stage::Kicked>(client.stage).first_kick;
  if (const auto* peer = fresh(state, client.to, client.key, client.since)) {
    if (peer->last_handshake_unix_ns != 0 && peer->last_handshake_unix_ns != client.to_handshake &&
        peer->rx_bytes >= kResponseBytes) {
      return handshake_seen(turn, id, *peer);
    }
  }
  const milliseconds limit =
      client.way == Way::rescue ? kRescueTimeout : turn.plan.policy.prepare_timeout;
  if (turn.now - first_kick > limit) {
    switch (client.way) {
      case Way::rescue:
        client.why = Reason{
            Code::unreachable,
            "did not answer at its last known address; it returns with its own next handshake"};
        turn.state.movement.set_counted(id, false);
        return turn.enter(id, stage::Stayed{});
      case Way::called:
        return turn.enter(id, stage::Returning{});
      case Way::held:
        return give_up(turn, id,
                       {Code::no_handshake, "no handshake with " + client.to.string() + " in " +
                                                std::to_string(limit.count() / 1000) + " s (" +
                                                std::to_string(client.kicks) + " initiations)"});
    }
  }
  // Only a dump asked for by then can say that there is none: late dumps must not undo handshakes.
  if (fresh(state, client.to, client.key, client.since + kKickAgain) != nullptr) {
    confirm_keys(turn);  // its preshared key may be another one since
    turn.enter(id, stage::Kicking{{}, first_kick});
  }
}

/// Whether a reading of the old node, asked for since this stage began, shows data of the client
/// that the reading before it did not.
bool heard_on_old(const State& state, const Client& client, Ear& ear) {
  const auto* old = fresh(state, client.from, client.key, client.since);
  if (old == nullptr) return false;
  const Instant read = state.nodes.at(client.from).answered_at;
  if (read != ear.read) {
    const bool grew = ear.read != Instant{0} && old->rx_bytes >= ear.rx + kSmallestData;
    if (grew && ear.heard <= client.since) ear.heard = read;
    ear.rx = old->rx_bytes;
    ear.read = read;
  }
  return ear.heard > client.since;
}

/// Its home is the old node again. Data there means that it never left; else the old node calls it,
/// which ends the session it has there.
void watch_recalled(const Turn& turn, Id id) {
  Client& client = turn.client(id);
  if (heard_on_old(turn.state, client, std::get<stage::Recalling>(client.stage).old)) {
    turn.enter(id, stage::Stayed{});
  }
}

/// Calls a client that did not take its session with a full handshake.
void call(const Turn& turn, Id id, const manifests::PeerState* peer) {
  Client& client = turn.client(id);
  ++client.retries;
  turn.say(shown(turn.plan, client.key) + " did not take the session: it is called once more");
  client.way = Way::called;
  client.to_handshake = peer != nullptr ? peer->last_handshake_unix_ns : 0;
  turn.enter(id, stage::Kicking{{}, turn.now});
}

void nudge(const Turn& turn, const Client& client, stage::Switched& switched) {
  const auto registered = turn.plan.peers.find(client.key);
  if (registered == turn.plan.peers.end()) return;
  auto& owners = turn.state.owners;
  if (!owners) owners.emplace(turn.plan.peers);
  switched.nudged = turn.now;
  if (const auto inner = owners->address_of(registered->second)) {
    turn.order(Nudge{client.to, *inner});
  }
}

void watch_switched(const Turn& turn, Id id) {
  Client& client = turn.client(id);
  auto& switched = std::get<stage::Switched>(client.stage);
  const auto* peer = fresh(turn.state, client.to, client.key, client.since);
  if (peer != nullptr && peer->rx_bytes >= client.to_rx + kSmallestData) {
    client.why.reset();
    return turn.enter(id, stage::Moved{turn.now});
  }
  const milliseconds waited = turn.now - client.since;
  // The new node must not have heard it either, asked after that was known: a new session there may
  // be older than the dump of it that arrived last.
  const bool talks_to_old = heard_on_old(turn.state, client, switched.old) &&
                            fresh(turn.state, client.to, client.key, switched.old.heard) != nullptr;
  if (talks_to_old && waited > kCommitAgain && client.retries < kCommitRetries) {
    return call(turn, id, peer);
  }
  const bool rescue = client.way == Way::rescue;
  const milliseconds limit = rescue ? kRescueTimeout : turn.plan.policy.commit_timeout;
  if (turn.now - client.committed > limit) {
    if (rescue) {
      client.why = Reason{Code::idle, "handshake complete, idle"};
      return turn.enter(id, stage::Moved{turn.now});
    }
    client.why = Reason{Code::not_taken,
                        "did not take the session that was prepared on " + client.to.string()};
    return turn.enter(id, stage::Returning{});
  }
  if (waited > kNudgeAfter && turn.now - switched.nudged > kNudgeAgain) {
    nudge(turn, client, switched);
  }
}

/// An interrupted rollout made `from` its home, but perhaps never told it: where its data arrives,
/// it is.
void watch_doubted(const Turn& turn, Id id) {
  const Client& client = turn.client(id);
  const auto* peer = fresh(turn.state, client.to, client.key, client.since);
  if (peer != nullptr && peer->rx_bytes >= client.to_rx + kSmallestData) {
    return turn.enter(id, stage::Adopting{});
  }
  if (turn.now - client.since > kDoubt) turn.enter(id, stage::Waiting{});
}

void watch_given_up(const Turn& turn, Id id) {
  const State& state = turn.state;
  const Client& client = turn.client(id);
  const auto* peer = fresh(state, client.to, client.key, client.since);
  if (peer == nullptr && !deaf(state, client.to)) return;
  if (peer == nullptr) return turn.enter(id, stage::Unholding{});
  const bool through = client.way != Way::held && peer->rx_bytes >= kResponseBytes + kSmallestData;
  if (through) return turn.enter(id, stage::Returning{});
  turn.enter(id, stage::Forgetting{});
}

/// Ends what can be ended of a client that is given up with everybody.
void abandon(const Turn& turn, Id id) {
  Client& client = turn.client(id);
  if (client.way != Way::held) return;
  if (!client.why) client.why = Reason{Code::given_up, "given up with the rollout"};
  if (client.granted) {
    turn.enter(id, stage::Revoking{});
  } else {
    turn.enter(id, stage::Stayed{});
  }
}

void abandon_all(const Turn& turn) {
  const Roster& clients = turn.state.movement;
  for (const Id id : clients.ids<stage::Waiting>()) turn.enter(id, stage::Stayed{});
  for (const Id id : clients.ids<stage::Doubted>()) turn.enter(id, stage::Stayed{});
  for (const Id id : clients.ids<stage::Granting>()) abandon(turn, id);
  for (const Id id : clients.ids<stage::Kicking>()) abandon(turn, id);
  for (const Id id : clients.ids<stage::Kicked>()) abandon(turn, id);
  for (const Id id : clients.ids<stage::Prepared>()) abandon(turn, id);
}

}  // namespace

const manifests::PeerState* fresh(const State& state, const NodeId& node, const PublicKey& key,
                                  Instant then) {
  const auto view = state.nodes.find(node);
  if (view == state.nodes.end() || !view->second.known || view->second.read_at < then) {
    return nullptr;
  }
  return view->second.peers.find(key);
}

bool deaf(const State& state, const NodeId& node) {
  const auto view = state.nodes.find(node);
  return view == state.nodes.end() || state.rollout.dead.contains(node) ||
         state.rollout.lost.contains(node) || view->second.failures >= 3;
}

void give_up(const Turn& turn, Roster::Id id, Reason why) {
  Client& client = turn.client(id);
  client.why = std::move(why);
  turn.say(shown(turn.plan, client.key) + " stays on " + client.from.string() + ": " +
           client.why->text);
  if (!client.granted && client.kicks == 0) return turn.enter(id, stage::Stayed{});
  turn.enter(id, stage::Revoking{});
}

bool any_preparing(const Roster& clients) {
  return clients.count(Part::preparing) != 0;
}

bool any_under_way(const Roster& clients) {
  return clients.count(Part::over) != clients.size();
}

void advance_clients(const Turn& turn) {
  const Roster& clients = turn.state.movement;
  leave_lost(turn);
  if (does<task::Abandon>(turn.state)) abandon_all(turn);
  for (const Id id : clients.ids<stage::Doubted>()) watch_doubted(turn, id);
  for (const Id id : clients.ids<stage::Kicked>()) watch_kicked(turn, id);
  for (const Id id : clients.ids<stage::Switched>()) watch_switched(turn, id);
  for (const Id id : clients.ids<stage::Regarding>()) watch_given_up(turn, id);
  for (const Id id : clients.ids<stage::Recalling>()) watch_recalled(turn, id);
  admit(turn);
  order_delta(turn);
  order_of_nodes(turn);
}

}  // namespace weir::deployer
