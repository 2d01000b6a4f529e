#include <algorithm>

#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

/// A node whose machine runs, but which is silent this long while its pool is left, counts as dead.
/// A busy one may take more than a second to answer; a frozen or ended machine is known at once.
constexpr milliseconds kRescuePatience{2000};
constexpr milliseconds kPatience{15000};

bool active_on(const NodeView& view, const manifests::PeerState& peer) {
  if (!peer.endpoint || peer.last_handshake_unix_ns == 0) return false;
  const auto age = std::chrono::nanoseconds(view.clock_unix_ns - peer.last_handshake_unix_ns);
  return age < kSessionLife;
}

struct Sighting {
  NodeId node;
  Endpoint endpoint;
  std::int64_t handshake = 0;
  std::uint64_t rx = 0;
  bool active = false;
};

/// Where `nodes` last heard of each peer: of several, the one with the newest handshake.
std::map<PublicKey, Sighting> sightings(const State& state, const std::vector<NodeId>& nodes) {
  std::map<PublicKey, Sighting> out;
  for (const NodeId& node : nodes) {
    const auto view = state.nodes.find(node);
    if (view == state.nodes.end() || !view->second.known || state.dead.contains(node)) continue;
    for (const auto& [key, peer] : view->second.peers) {
      if (!peer.endpoint) continue;
      const Sighting seen{node, *peer.endpoint, peer.last_handshake_unix_ns, peer.rx_bytes,
                          active_on(view->second, peer)};
      const auto [there, fresh] = out.try_emplace(key, seen);
      if (!fresh && seen.handshake > there->second.handshake) there->second = seen;
    }
  }
  return out;
}

bool known_everywhere(const State& state, const PublicKey& key) {
  return std::all_of(state.targets.begin(), state.targets.end(),
                     [&](const NodeId& node) { return peer_on(state, node, key) != nullptr; });
}

Client client_of(const Turn& turn, const PublicKey& key, const Endpoint& endpoint,
                 const NodeId& from) {
  Client client{.key = key,
                .endpoint = endpoint,
                .from = from,
                .to = node_for(key, turn.state.targets),
                .granted = {},
                .why = {}};
  client.since = turn.now;
  return client;
}

/// Clients of nodes that are dead: whatever is known of where they are must do.
void find_stranded(Turn& turn, const std::map<PublicKey, Sighting>& alive,
                   const std::map<PublicKey, Sighting>& old) {
  State& state = turn.state;
  std::set<PublicKey> keys;
  for (const auto& [key, peer] : turn.plan.peers) keys.insert(key);
  for (const auto& [key, seen] : old) keys.insert(key);
  for (const PublicKey& key : keys) {
    const auto here = alive.find(key);
    if (state.clients.contains(key) || (here != alive.end() && here->second.active)) continue;
    if (!known_everywhere(state, key)) continue;
    const auto known = turn.plan.known.find(key);
    const auto seen = old.find(key);
    std::optional<Endpoint> endpoint;
    bool certain = false;
    if (known != turn.plan.known.end() && state.dead.contains(known->second.node)) {
      endpoint = known->second.endpoint;
      certain = true;
    } else if (seen != old.end()) {
      endpoint = seen->second.endpoint;
    }
    if (!endpoint) continue;
    const auto home = home_of(state, *endpoint);
    if (home && !state.dead.contains(*home)) continue;
    Client client = client_of(turn, key, *endpoint, *state.dead.begin());
    client.rescue = true;
    client.dry = false;
    client.counted = certain || home.has_value();
    state.clients.insert_or_assign(key, std::move(client));
  }
}

}  // namespace

const manifests::PeerState* peer_on(const State& state, const NodeId& node, const PublicKey& key) {
  const auto view = state.nodes.find(node);
  if (view == state.nodes.end()) return nullptr;
  const auto peer = view->second.peers.find(key);
  return peer == view->second.peers.end() ? nullptr : &peer->second;
}

bool contains(const std::vector<NodeId>& nodes, const NodeId& node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::optional<NodeId> home_of(const State& state, const Endpoint& client) {
  if (const auto set = state.steering.homes.find(client); set != state.steering.homes.end()) {
    return set->second;
  }
  if (const auto learned = state.learned_homes.find(client); learned != state.learned_homes.end()) {
    return learned->second;
  }
  return std::nullopt;
}

void read_director(Turn& turn) {
  turn.state.director_known = false;
  turn.state.reading_director = turn.order(ReadDirector{});
}

void begin_survey(Turn& turn) {
  State& state = turn.state;
  state.survey_began = turn.now;
  state.halted_known = false;
  ++state.surveys;
  state.reading_halted = turn.order(ReadHalted{});
  read_director(turn);
  for (const auto* nodes : {&turn.plan.to, &turn.plan.from}) {
    for (const NodeId& node : *nodes) {
      NodeView& view = state.nodes[node];
      view.known = false;
      view.failures = 0;
      view.trouble.clear();
      view.asked_at = turn.now;
      view.reading = turn.order(ReadPeers{node});
    }
  }
}

bool survey_complete(Turn& turn) {
  State& state = turn.state;
  const milliseconds waited = turn.now - state.survey_began;
  if (!state.director_known || !state.halted_known) return false;
  const bool hurry = turn.plan.kind == Kind::rollback;
  std::vector<NodeId> targets;
  std::set<NodeId> dead;
  bool target_answered = false;
  for (const NodeId& node : turn.plan.to)
    target_answered = target_answered || state.nodes[node].known;
  for (const auto* nodes : {&turn.plan.to, &turn.plan.from}) {
    for (const NodeId& node : *nodes) {
      const bool target = nodes == &turn.plan.to;
      NodeView& view = state.nodes[node];
      if (view.known) {
        if (target) targets.push_back(node);
        continue;
      }
      const bool patient = !hurry || (target && !target_answered);
      const bool silent = waited >= (patient ? kPatience : kRescuePatience);
      if (!state.halted.contains(node) && view.failures == 0 && !silent) return false;
      if (view.trouble.empty()) {
        view.trouble = state.halted.contains(node) ? "its machine is frozen or gone" : "no answer";
      }
      if (!target) dead.insert(node);
    }
  }
  state.targets = std::move(targets);
  state.dead = std::move(dead);
  state.lost.clear();
  return true;
}

void find_clients(Turn& turn) {
  State& state = turn.state;
  const auto old_pool = sightings(state, turn.plan.from);
  const auto new_pool = sightings(state, turn.plan.to);
  for (const auto& [key, seen] : old_pool) {
    if (turn.plan.probe_source && !turn.plan.peers.contains(key)) {
      const auto* peer = peer_on(state, seen.node, key);
      if (peer != nullptr && peer->allowed_ips.size() == 1 &&
          peer->allowed_ips.front().address == *turn.plan.probe_source) {
        continue;  // a probe that could not clean up after itself
      }
    }
    const auto before = state.clients.find(key);
    if (before != state.clients.end()) {
      // Seen in an earlier round: only a handshake of its own since then brings it back.
      const bool again = before->second.stage == Stage::moved && seen.active &&
                         seen.handshake > before->second.from_handshake &&
                         home_of(state, seen.endpoint) == seen.node;
      if (!again) continue;
      state.clients.erase(before);
    }
    const auto there = new_pool.find(key);
    const auto home =
        home_of(state, there != new_pool.end() ? there->second.endpoint : seen.endpoint);
    if (home && contains(turn.plan.to, *home) && there != new_pool.end()) {
      // An earlier rollout, perhaps an interrupted one, made the new pool its home.
      Client client = client_of(turn, key, there->second.endpoint, seen.node);
      client.to = *home;
      const bool talks = there->second.rx >= kResponseBytes + kSmallestData;
      client.first_commit = turn.now;
      client.to_rx = talks ? there->second.rx : kResponseBytes;
      client.from_handshake = seen.handshake;
      client.stage = talks || !seen.active ? Stage::moved : Stage::switched;
      if (client.stage == Stage::moved) client.why = "was there already";
      if (there->second.active || seen.active)
        state.clients.insert_or_assign(key, std::move(client));
      continue;
    }
    if (!seen.active) continue;
    Client client = client_of(turn, key, seen.endpoint, seen.node);
    client.from_handshake = seen.handshake;
    if (there != new_pool.end() && there->second.active && home == seen.node &&
        seen.rx < kResponseBytes + kSmallestData) {
      client.to = there->second.node;
      client.to_rx = there->second.rx;
      client.stage = Stage::doubted;
    }
    if (!known_everywhere(state, key)) {
      client.stage = Stage::stayed;
      client.why = turn.plan.peers.contains(key)
                       ? "not every node of pool " + turn.plan.to_pool.string() + " knows its key"
                       : "its key is not in the registry, so pool " + turn.plan.to_pool.string() +
                             " does not know it";
    }
    state.clients.insert_or_assign(key, std::move(client));
  }
  if (!state.dead.empty()) find_stranded(turn, old_pool, new_pool);
}

bool find_leftovers(Turn& turn) {
  State& state = turn.state;
  std::set<director::Grant> stale = state.steering.kicks;
  stale.insert(state.steering.holds.begin(), state.steering.holds.end());
  if (stale.empty()) return false;
  director::Steering wanted = state.steering;
  for (const director::Grant& grant : stale) {
    const PublicKey* owner = nullptr;
    if (const auto view = state.nodes.find(grant.node); view != state.nodes.end()) {
      for (const auto& [key, peer] : view->second.peers) {
        if (peer.endpoint == grant.client) owner = &key;
      }
    }
    if (owner == nullptr || home_of(state, grant.client) == grant.node) {
      wanted.kicks.erase(grant);
      wanted.holds.erase(grant);
      continue;
    }
    Client client{.key = *owner,
                  .endpoint = grant.client,
                  .from = home_of(state, grant.client).value_or(turn.plan.from.front()),
                  .to = grant.node,
                  .granted = grant.client,
                  .why = "left by an interrupted rollout"};
    client.stage = Stage::revoking;
    client.since = turn.now;
    client.counted = false;
    state.clients.insert_or_assign(*owner, std::move(client));
  }
  propose(turn, std::move(wanted));
  turn.say("giving up " + std::to_string(stale.size()) +
           " rights and holds of an interrupted rollout");
  return true;
}

}  // namespace weir::deployer
