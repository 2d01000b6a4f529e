#include <algorithm>

#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kKickAgain{2500};    ///< no handshake by then: perhaps crossed initiations
constexpr milliseconds kCommitAgain{1500};  ///< still talking to its old node: the packet was lost
constexpr milliseconds kRepeatAfterError{300};
constexpr milliseconds kNudgeAfter{400};
constexpr milliseconds kNudgeAgain{3000};
constexpr milliseconds kRescueTimeout{6000};  ///< who does not answer by then is not there
constexpr milliseconds kRecallAfter{400};     ///< time for data to show where a client is
constexpr milliseconds kSpent{1000};  ///< a dump that arrived longer ago says nothing about now
constexpr milliseconds kDoubt{600};   ///< who sends nothing for so long is idle
constexpr milliseconds kLookAtMachines{250};  ///< a machine that halts is known this soon
constexpr unsigned kCommitRetries = 3;

/// `node` was read after `then`, so that what its peers show may be judged.
const manifests::PeerState* fresh(const State& state, const NodeId& node, const PublicKey& key,
                                  Instant then) {
  const auto view = state.nodes.find(node);
  if (view == state.nodes.end() || !view->second.known || view->second.read_at < then)
    return nullptr;
  return peer_on(state, node, key);
}

bool deaf(const State& state, const NodeId& node) {
  const auto view = state.nodes.find(node);
  return view == state.nodes.end() || state.dead.contains(node) || state.lost.contains(node) ||
         view->second.failures >= 3;
}

void give_up(Turn& turn, Client& client, std::string why) {
  client.why = std::move(why);
  turn.say(shown(turn.plan, client.key) + " stays on " + client.from.string() + ": " + client.why);
  if (!client.granted && client.kicks == 0) return turn.enter(client, Stage::stayed);
  turn.enter(client, Stage::revoking);
}

void kick_again(Turn& turn, Client& client) {
  turn.enter(client, Stage::kicking);
}

/// The handshake with `to` is there: proved, and for a client without a hold already in use.
void handshake_seen(Turn& turn, Client& client, const manifests::PeerState& peer) {
  if (client.dry) {
    client.prepared_at = turn.now;
    client.to_handshake = peer.last_handshake_unix_ns;
    client.to_rx = peer.rx_bytes;
    return turn.enter(client, Stage::prepared);
  }
  client.to_rx = kResponseBytes;
  client.to_handshake = peer.last_handshake_unix_ns;
  turn.enter(client, Stage::switched);
}

void watch_kicked(Turn& turn, Client& client) {
  const State& state = turn.state;
  if (const auto* peer = fresh(state, client.to, client.key, client.since)) {
    if (peer->last_handshake_unix_ns != 0 && peer->last_handshake_unix_ns != client.to_handshake &&
        peer->rx_bytes >= kResponseBytes) {
      return handshake_seen(turn, client, *peer);
    }
  }
  const milliseconds limit = client.rescue ? kRescueTimeout : turn.plan.policy.prepare_timeout;
  if (turn.now - client.first_kick > limit) {
    if (client.rescue) {
      client.why =
          "did not answer at its last known address; it returns with its own next handshake";
      client.counted = false;
      return turn.enter(client, Stage::stayed);
    }
    if (!client.dry) return turn.enter(client, Stage::returning);
    return give_up(turn, client,
                   "no handshake with " + client.to.string() + " in " +
                       std::to_string(limit.count() / 1000) + " s (" +
                       std::to_string(client.kicks) + " initiations)");
  }
  // Only a dump asked for by then can say that there is none: late dumps must not undo handshakes.
  if (fresh(state, client.to, client.key, client.since + kKickAgain) != nullptr) {
    kick_again(turn, client);
  }
}

/// Whether a reading of the old node, asked for since this stage began, shows data of the client
/// that the reading before it did not.
bool heard_on_old(const State& state, Client& client) {
  const auto* old = fresh(state, client.from, client.key, client.since);
  if (old == nullptr) return false;
  const Instant read = state.nodes.at(client.from).answered_at;
  if (read != client.from_read) {
    const bool grew =
        client.from_read != Instant{0} && old->rx_bytes >= client.from_rx + kSmallestData;
    if (grew && client.heard_on_from <= client.since) client.heard_on_from = read;
    client.from_rx = old->rx_bytes;
    client.from_read = read;
  }
  return client.heard_on_from > client.since;
}

/// The same, and the new node, asked after that was known, did not hear it. Both have to be seen: a
/// new session on the new node may be older than the dump of it that arrived last.
bool still_talks_to_old(const State& state, Client& client) {
  return heard_on_old(state, client) &&
         fresh(state, client.to, client.key, client.heard_on_from) != nullptr;
}

/// Its home is the old node again. Data there means that it never left; else the old node calls it,
/// which ends the session it has there.
void watch_recalled(Turn& turn, Client& client) {
  if (heard_on_old(turn.state, client)) turn.enter(client, Stage::stayed);
}

void watch_switched(Turn& turn, Client& client) {
  const State& state = turn.state;
  const auto* peer = fresh(state, client.to, client.key, client.since);
  if (peer != nullptr && peer->rx_bytes >= client.to_rx + kSmallestData) {
    client.moved_at = turn.now;
    client.why.clear();
    return turn.enter(client, Stage::moved);
  }
  const milliseconds waited = turn.now - client.since;
  if (still_talks_to_old(state, client) && waited > kCommitAgain &&
      client.retries < kCommitRetries) {
    ++client.retries;
    turn.say(shown(turn.plan, client.key) + " did not take the session: it is called once more");
    client.dry = false;
    client.to_handshake = peer != nullptr ? peer->last_handshake_unix_ns : 0;
    client.first_kick = turn.now;
    return kick_again(turn, client);
  }
  const milliseconds limit = client.rescue ? kRescueTimeout : turn.plan.policy.commit_timeout;
  if (turn.now - client.first_commit > limit) {
    if (client.rescue) {
      client.moved_at = turn.now;
      client.why = "handshake complete, idle";
      return turn.enter(client, Stage::moved);
    }
    client.why = "did not take the session that was prepared on " + client.to.string();
    return turn.enter(client, Stage::returning);
  }
  if (waited > kNudgeAfter && turn.now - client.nudged_at > kNudgeAgain) {
    const auto registered = turn.plan.peers.find(client.key);
    if (registered != turn.plan.peers.end() && !registered->second.allowed_ips.empty()) {
      client.nudged_at = turn.now;
      turn.order(Nudge{client.to, registered->second.allowed_ips.front().address});
    }
  }
}

/// An interrupted rollout made `from` its home, but perhaps never told it: where its data arrives,
/// it is.
void watch_doubted(Turn& turn, Client& client) {
  const auto* peer = fresh(turn.state, client.to, client.key, client.since);
  if (peer != nullptr && peer->rx_bytes >= client.to_rx + kSmallestData) {
    return turn.enter(client, Stage::adopting);
  }
  if (turn.now - client.since > kDoubt) turn.enter(client, Stage::waiting);
}

/// Whether a prepared client can be switched now; starts over where it cannot.
bool ready_to_switch(Turn& turn, Client& client) {
  const State& state = turn.state;
  const auto* old = fresh(state, client.from, client.key, client.prepared_at);
  if (old == nullptr && !deaf(state, client.from)) return false;
  if (old != nullptr && turn.now - state.nodes.at(client.from).answered_at > kSpent) return false;
  const bool moved_away = old != nullptr && old->endpoint && *old->endpoint != client.endpoint;
  const bool rekeyed = old != nullptr && old->last_handshake_unix_ns != client.from_handshake;
  if (!moved_away && !rekeyed && turn.now - client.prepared_at < kPreparedLife) return true;
  turn.say(shown(turn.plan, client.key) + " is prepared again: " +
           (moved_away ? "it roamed"
            : rekeyed  ? "it made a new handshake"
                       : "its session aged"));
  client.first_kick = turn.now;
  if (moved_away) client.endpoint = *old->endpoint;
  turn.enter(client, moved_away ? Stage::granting : Stage::kicking);
  return false;
}

void watch_given_up(Turn& turn, Client& client) {
  const State& state = turn.state;
  const auto* peer = fresh(state, client.to, client.key, client.since);
  if (peer == nullptr && !deaf(state, client.to)) return;
  const bool through =
      peer != nullptr && !client.dry && peer->rx_bytes >= kResponseBytes + kSmallestData;
  turn.enter(client, through           ? Stage::returning
                     : peer == nullptr ? Stage::unholding
                                       : Stage::forgetting);
}

/// The machine of `to` halted: nobody waits for its answers, and who was switched goes back. What
/// is with the director ends first.
void leave_lost(Turn& turn, Client& client) {
  const std::string why = "the machine of node " + client.to.string() + " is frozen or gone";
  switch (client.stage) {
    case Stage::granting:
      if (client.waits != 0) return;
      [[fallthrough]];
    case Stage::waiting:
    case Stage::prepared:
      return give_up(turn, client, why);
    case Stage::kicking:
    case Stage::kicked:
      if (client.dry) return give_up(turn, client, why);
      [[fallthrough]];
    case Stage::releasing:
    case Stage::switched:
      client.why = why;
      return turn.enter(client, Stage::returning);
    case Stage::forgetting:
      return turn.enter(client, Stage::unholding);
    default:
      return;
  }
}

/// Node commands of one kind, one a node.
void order_kicks(Turn& turn) {
  std::map<NodeId, std::vector<Client*>> kicks, recalls, commits, forgets;
  for (auto& [key, client] : turn.state.clients) {
    if (client.waits != 0 || turn.now < client.not_before) continue;
    if (client.stage == Stage::kicking) kicks[client.to].push_back(&client);
    if (client.stage == Stage::recalling) recalls[client.from].push_back(&client);
    if (client.stage == Stage::releasing) commits[client.to].push_back(&client);
    if (client.stage == Stage::forgetting) forgets[client.to].push_back(&client);
  }
  const auto keys = [](const std::vector<Client*>& clients) {
    std::vector<PublicKey> out;
    out.reserve(clients.size());
    for (const Client* client : clients) out.push_back(client->key);
    return out;
  };
  const auto wait = [](const std::vector<Client*>& clients, CommandId id) {
    for (Client* client : clients) client->waits = id;
  };
  for (const auto* group : {&kicks, &recalls}) {
    for (const auto& [node, clients] : *group) {
      Kick kick{node, {}};
      for (Client* client : clients) {
        kick.clients.push_back({client->key, client->endpoint});
        ++client->kicks;
        const auto* old = peer_on(turn.state, client->from, client->key);
        if (old != nullptr && group == &kicks) {
          client->from_handshake = old->last_handshake_unix_ns;
        }
        client->from_read = Instant{0};
        const auto* now = peer_on(turn.state, client->to, client->key);
        if (now != nullptr && group == &kicks) client->to_handshake = now->last_handshake_unix_ns;
        if (client->first_kick == Instant{0} && group == &kicks) client->first_kick = turn.now;
      }
      wait(clients, turn.order(std::move(kick)));
    }
  }
  for (const auto& [node, clients] : commits) {
    for (Client* client : clients) {
      client->from_read = client->heard_on_from = Instant{0};
      if (client->first_commit == Instant{0}) client->first_commit = turn.now;
    }
    wait(clients, turn.order(Commit{node, keys(clients)}));
  }
  for (const auto& [node, clients] : forgets) {
    wait(clients, turn.order(GiveUp{node, keys(clients)}));
  }
}

bool may_prepare(const State& state) {
  return !state.interrupted &&
         (state.task == Task::prepare || state.task == Task::commit || state.task == Task::follow);
}

void admit(Turn& turn) {
  State& state = turn.state;
  std::map<NodeId, std::size_t> unconfirmed;
  std::size_t in_flight = 0;
  for (const auto& [key, client] : state.clients) {
    if (client.stage == Stage::granting || client.stage == Stage::kicking ||
        client.stage == Stage::kicked || (client.rescue && client.stage == Stage::switching)) {
      ++unconfirmed[client.to];
    }
    if (client.stage == Stage::switching || client.stage == Stage::releasing ||
        client.stage == Stage::switched) {
      ++in_flight;
    }
  }
  const std::size_t kick_limit = std::min(turn.plan.policy.batch, kMaxUnconfirmed);
  const bool committing =
      !state.interrupted && (state.task == Task::commit || state.task == Task::follow);
  for (auto& [key, client] : state.clients) {
    if (client.stage == Stage::waiting && may_prepare(state) &&
        unconfirmed[client.to] < kick_limit) {
      ++unconfirmed[client.to];
      turn.enter(client, client.rescue ? Stage::switching : Stage::granting);
    }
    if (client.stage == Stage::prepared && committing && in_flight < turn.plan.policy.batch &&
        ready_to_switch(turn, client)) {
      ++in_flight;
      turn.enter(client, Stage::switching);
    }
  }
}

void failed_command(Turn& turn, Client& client, const Error& error) {
  client.waits = 0;
  client.not_before = turn.now + kRepeatAfterError;
  const milliseconds waited = turn.now - client.since;
  switch (client.stage) {
    case Stage::kicking:
      if (client.first_kick != Instant{0} &&
          turn.now - client.first_kick > turn.plan.policy.prepare_timeout) {
        if (client.dry) {
          give_up(turn, client, error.message);
        } else {
          client.why = error.message;
          turn.enter(client, client.rescue ? Stage::stayed : Stage::returning);
        }
      }
      return;
    case Stage::releasing:
      if (waited > turn.plan.policy.commit_timeout) {
        client.why = error.message;
        turn.enter(client, Stage::returning);
      }
      return;
    case Stage::forgetting:
      if (waited > kKickAgain) turn.enter(client, Stage::unholding);
      return;
    case Stage::recalling:
      if (waited > kKickAgain) turn.enter(client, Stage::stayed);
      return;
    default:
      return;  // the director's: ordered again with what it says its version is
  }
}

void finished_command(Turn& turn, Client& client) {
  switch (client.stage) {
    case Stage::granting:
      client.granted = client.endpoint;
      return turn.enter(client, Stage::kicking);
    case Stage::adopting:
      client.granted.reset();
      client.why = "was there already";
      return turn.enter(client, Stage::moved);
    case Stage::kicking:
      return turn.enter(client, Stage::kicked);
    case Stage::switching:
      client.granted.reset();
      if (client.rescue) {
        client.dry = false;
        client.first_commit = turn.now;
        return turn.enter(client, Stage::kicking);
      }
      return turn.enter(client, Stage::releasing);
    case Stage::releasing:
      return turn.enter(client, Stage::switched);
    case Stage::revoking:
      return turn.enter(client, Stage::regarding);
    case Stage::forgetting:
      return turn.enter(client, Stage::unholding);
    case Stage::unholding:
      client.granted.reset();
      return turn.enter(client, Stage::stayed);
    case Stage::returning:
      client.granted.reset();
      client.from_read = client.heard_on_from = Instant{0};
      client.not_before = turn.now + kRecallAfter;
      turn.say(shown(turn.plan, client.key) + " returns to " + client.from.string() + ": " +
               client.why);
      return turn.enter(client, deaf(turn.state, client.from) ? Stage::stayed : Stage::recalling);
    case Stage::recalling:
      return turn.enter(client, Stage::stayed);
    default:
      return;
  }
}

}  // namespace

void advance_clients(Turn& turn) {
  for (auto& [key, client] : turn.state.clients) {
    if (!client.rescue && turn.state.lost.contains(client.to)) leave_lost(turn, client);
    if (turn.state.task == Task::abandon) {
      if (client.stage == Stage::waiting || client.stage == Stage::doubted) {
        turn.enter(client, Stage::stayed);
      }
      const bool untold =
          client.waits == 0 && (client.stage == Stage::granting || client.stage == Stage::kicking);
      if (untold || client.stage == Stage::kicked || client.stage == Stage::prepared) {
        if (client.dry) {
          if (client.why.empty()) client.why = "given up with the rollout";
          turn.enter(client, client.granted ? Stage::revoking : Stage::stayed);
        }
      }
    }
    if (client.stage == Stage::doubted) watch_doubted(turn, client);
    if (client.stage == Stage::kicked) watch_kicked(turn, client);
    if (client.stage == Stage::switched) watch_switched(turn, client);
    if (client.stage == Stage::regarding) watch_given_up(turn, client);
    if (client.stage == Stage::recalling && client.waits == 0) watch_recalled(turn, client);
  }
  admit(turn);
  order_delta(turn);
  order_kicks(turn);
}

void clients_answered(Turn& turn, CommandId id, const Error* error) {
  for (auto& [key, client] : turn.state.clients) {
    if (client.waits != id) continue;
    if (error != nullptr) {
      failed_command(turn, client, *error);
    } else {
      finished_command(turn, client);
    }
  }
}

void poll(Turn& turn) {
  State& state = turn.state;
  if (state.reading_halted == 0 && turn.now - state.halted_asked > kLookAtMachines) {
    state.halted_asked = turn.now;
    state.reading_halted = turn.order(ReadHalted{});
  }
  std::set<NodeId> wanted;
  bool hasty = false;
  for (const auto& [key, client] : state.clients) {
    switch (client.stage) {
      case Stage::doubted:
      case Stage::kicked:
      case Stage::regarding:
        wanted.insert(client.to);
        break;
      case Stage::prepared:
        if (state.task == Task::commit || state.task == Task::follow) wanted.insert(client.from);
        break;
      case Stage::recalling:
        wanted.insert(client.from);
        break;
      case Stage::switching:
      case Stage::releasing:
      case Stage::switched:
        wanted.insert(client.to);
        wanted.insert(client.from);
        break;
      default:
        break;
    }
    hasty = hasty || (client.rescue && client.stage == Stage::kicked);
  }
  for (const NodeId& node : wanted) {
    NodeView& view = state.nodes[node];
    if (view.reading != 0 || state.dead.contains(node) || state.lost.contains(node)) continue;
    const milliseconds pause = std::max(milliseconds(hasty ? 20 : 60), 2 * view.cost);
    if (turn.now - view.asked_at < pause) continue;
    view.asked_at = turn.now;
    view.reading = turn.order(ReadPeers{node});
  }
}

bool any_in(const State& state, std::initializer_list<Stage> stages) {
  return count_in(state, stages) != 0;
}

std::size_t count_in(const State& state, std::initializer_list<Stage> stages) {
  return static_cast<std::size_t>(
      std::count_if(state.clients.begin(), state.clients.end(), [&](const auto& it) {
        return std::find(stages.begin(), stages.end(), it.second.stage) != stages.end();
      }));
}

}  // namespace weir::deployer
