#include <algorithm>

#include "deployer/rollout/nodelife/feed.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

struct Sighting {
  const PublicKey* key;
  const NodeId* node;
  const manifests::PeerState* peer;
  bool active = false;
};

/// By key.
using Sightings = std::vector<Sighting>;

const Sighting* find(const Sightings& all, const PublicKey& key) {
  const auto found =
      std::lower_bound(all.begin(), all.end(), key,
                       [](const Sighting& it, const PublicKey& k) { return *it.key < k; });
  return found == all.end() || *found->key != key ? nullptr : &*found;
}

bool active_on(const NodeView& view, const manifests::PeerState& peer) {
  if (peer.last_handshake_unix_ns == 0) return false;
  const auto age = std::chrono::nanoseconds(view.clock_unix_ns - peer.last_handshake_unix_ns);
  return age < kSessionLife;
}

/// Where `nodes` last heard of each peer: of several, the one with the newest handshake.
Sightings sightings(const State& state, const std::vector<NodeId>& nodes) {
  Sightings out;
  for (const NodeId& node : nodes) {
    const auto view = state.nodes.find(node);
    if (view == state.nodes.end() || !view->second.known || state.rollout.dead.contains(node)) {
      continue;
    }
    for (const manifests::PeerState& peer : view->second.peers) {
      if (!peer.endpoint) continue;
      out.push_back({&peer.public_key, &view->first, &peer, active_on(view->second, peer)});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Sighting& a, const Sighting& b) {
    if (*a.key != *b.key) return *a.key < *b.key;
    return a.peer->last_handshake_unix_ns > b.peer->last_handshake_unix_ns;
  });
  out.erase(std::unique(out.begin(), out.end(),
                        [](const Sighting& a, const Sighting& b) { return *a.key == *b.key; }),
            out.end());
  return out;
}

bool known_everywhere(const State& state, const PublicKey& key) {
  const auto& targets = state.rollout.targets;
  return std::all_of(targets.begin(), targets.end(),
                     [&](const NodeId& node) { return peer_on(state, node, key) != nullptr; });
}

Client client_of(const Turn& turn, const PublicKey& key, const Endpoint& endpoint,
                 const NodeId& from) {
  Client client{.key = key,
                .endpoint = endpoint,
                .from = from,
                .to = node_for(key, turn.state.rollout.targets)};
  client.since = turn.now;
  return client;
}

/// An earlier rollout, perhaps an interrupted one, made the new pool its home.
Client arrived(const Turn& turn, const Sighting& seen, const Sighting& there, const NodeId& home) {
  Client client = client_of(turn, *seen.key, *there.peer->endpoint, *seen.node);
  client.to = home;
  const bool talks = there.peer->rx_bytes >= kResponseBytes + kSmallestData;
  client.committed = turn.now;
  client.to_rx = talks ? there.peer->rx_bytes : kResponseBytes;
  client.from_handshake = seen.peer->last_handshake_unix_ns;
  if (talks || !seen.active) {
    client.stage = stage::Moved{};
    client.why = Reason{Code::already_there, "was there already"};
  } else {
    client.stage = stage::Switched{};
  }
  return client;
}

/// One that lives on the old pool.
Client resident(const Turn& turn, const Sighting& seen, const Sighting* there,
                const std::optional<NodeId>& home) {
  const PublicKey& key = *seen.key;
  Client client = client_of(turn, key, *seen.peer->endpoint, *seen.node);
  client.from_handshake = seen.peer->last_handshake_unix_ns;
  if (!turn.plan.peers.contains(key)) {
    client.stage = stage::Stayed{};
    client.counted = false;
    client.why = Reason{Code::revoked, "its key is not in the registry: its sessions are ended"};
    return client;
  }
  if (there != nullptr && there->active && home == *seen.node &&
      seen.peer->rx_bytes < kResponseBytes + kSmallestData) {
    client.to = *there->node;
    client.to_rx = there->peer->rx_bytes;
    client.stage = stage::Doubted{};
  }
  if (!known_everywhere(turn.state, key)) {
    client.stage = stage::Stayed{};
    client.why = Reason{Code::not_everywhere,
                        "not every node of pool " + turn.plan.to_pool.string() + " knows its key"};
  }
  return client;
}

/// Clients of nodes that are dead: whatever is known of where they are must do.
void find_stranded(const Turn& turn, const Sightings& alive, const Sightings& gone) {
  State& state = turn.state;
  const auto& dead = state.rollout.dead;
  for (const auto& [key, peer] : turn.plan.peers) {
    const Sighting* here = find(alive, key);
    if (state.movement.find(key) != nullptr || (here != nullptr && here->active)) continue;
    if (!known_everywhere(state, key)) continue;
    const auto known = turn.plan.known.find(key);
    const Sighting* seen = find(gone, key);
    std::optional<Endpoint> endpoint;
    bool certain = false;
    if (known != turn.plan.known.end() && dead.contains(known->second.node)) {
      endpoint = known->second.endpoint;
      certain = true;
    } else if (seen != nullptr) {
      endpoint = seen->peer->endpoint;
    }
    if (!endpoint) continue;
    const auto home = home_of(state, *endpoint);
    if (home && !dead.contains(*home)) continue;
    Client client = client_of(turn, key, *endpoint, *dead.begin());
    client.way = Way::rescue;
    client.counted = certain || home.has_value();
    turn.put(std::move(client));
  }
}

/// Names who may have been with a dead node at an address that nobody can tell is theirs.
void name_lost(const Turn& turn) {
  State& state = turn.state;
  std::set<Endpoint> claimed;
  for (const Client& client : state.movement) claimed.insert(client.endpoint);
  std::size_t unclaimed = 0;
  const auto count = [&](const std::map<Endpoint, NodeId>& homes) {
    for (const auto& [endpoint, node] : homes) {
      unclaimed += state.rollout.dead.contains(node) && claimed.insert(endpoint).second ? 1 : 0;
    }
  };
  count(state.steering.intent.homes);
  count(state.steering.learned_homes);
  if (unclaimed == 0) return;
  std::string names;
  std::size_t candidates = 0;
  for (const auto& [key, peer] : turn.plan.peers) {
    if (turn.plan.known.contains(key) || state.movement.find(key) != nullptr) continue;
    if (++candidates <= 5) names += (candidates == 1 ? "" : ", ") + shown(turn.plan, key);
  }
  turn.warn({Code::no_address,
             "dead nodes served " + std::to_string(unclaimed) +
                 " addresses that belong to no known client; they return with their own next "
                 "handshake" +
                 (candidates == 0 ? "" : "; never seen elsewhere: " + names) +
                 (candidates > 5 ? " and " + std::to_string(candidates - 5) + " more" : "")});
}

/// Who holds which address on one node.
std::map<Endpoint, const PublicKey*> owners(const State& state, const NodeId& node) {
  std::map<Endpoint, const PublicKey*> out;
  const auto view = state.nodes.find(node);
  if (view == state.nodes.end()) return out;
  for (const manifests::PeerState& peer : view->second.peers) {
    if (peer.endpoint) out.insert_or_assign(*peer.endpoint, &peer.public_key);
  }
  return out;
}

}  // namespace

void find_clients(const Turn& turn) {
  State& state = turn.state;
  const auto old_pool = sightings(state, turn.plan.from);
  const auto new_pool = sightings(state, turn.plan.to);
  for (const Sighting& seen : old_pool) {
    const bool registered = turn.plan.peers.contains(*seen.key);
    // One that could not clean up after itself.
    if (!registered && is_probe(*seen.peer, turn.plan.probe_source)) continue;
    if (const Client* before = state.movement.find(*seen.key)) {
      // Seen in an earlier round: only a handshake of its own since then brings it back.
      const bool again = is<stage::Moved>(*before) && seen.active &&
                         seen.peer->last_handshake_unix_ns > before->from_handshake &&
                         home_of(state, *seen.peer->endpoint) == *seen.node;
      if (!again) continue;
    }
    const Sighting* there = find(new_pool, *seen.key);
    const auto home =
        home_of(state, there != nullptr ? *there->peer->endpoint : *seen.peer->endpoint);
    if (registered && home && contains(turn.plan.to, *home) && there != nullptr) {
      if (there->active || seen.active) turn.put(arrived(turn, seen, *there, *home));
    } else if (seen.active) {
      turn.put(resident(turn, seen, there, home));
    }
  }
  if (state.rollout.dead.empty()) return;
  find_stranded(turn, old_pool, new_pool);
  name_lost(turn);
}

bool find_leftovers(const Turn& turn) {
  State& state = turn.state;
  const director::Intent& intent = state.steering.intent;
  director::Edit edit(intent);
  std::size_t given_up = 0;
  std::optional<NodeId> node;
  std::map<Endpoint, const PublicKey*> owner_of;
  for (const director::Grant& grant : all_grants(intent)) {
    // Who cannot be asked may initiate no more, and is held back until it is heard of again.
    const auto view = state.nodes.find(grant.node);
    if (view == state.nodes.end() || !view->second.known) {
      if (intent.kicks.contains(grant)) ++given_up;
      edit.set_kick(grant, false);
      continue;
    }
    ++given_up;
    if (node != grant.node) {  // grants are sorted by node
      node = grant.node;
      owner_of = owners(state, grant.node);
    }
    const auto owner = owner_of.find(grant.client);
    if (owner == owner_of.end() || home_of(state, grant.client) == grant.node) {
      edit.set_kick(grant, false);
      edit.set_hold(grant, false);
      continue;
    }
    Client client{.key = *owner->second,
                  .endpoint = grant.client,
                  .from = home_of(state, grant.client).value_or(turn.plan.from.front()),
                  .to = grant.node,
                  .stage = stage::Revoking{}};
    client.since = turn.now;
    client.counted = false;
    client.granted = grant.client;
    client.why = Reason{Code::leftover, "left by an interrupted rollout"};
    turn.put(std::move(client));
  }
  if (given_up == 0) return false;
  propose(turn, std::move(edit));
  turn.say("giving up " + std::to_string(given_up) + " rights and holds of an interrupted rollout");
  return true;
}

}  // namespace weir::deployer
