#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

void set_assigned(const Turn& turn, director::Steering& wanted, const PublicKey& key,
                  const NodeId& node) {
  const auto peer = turn.plan.peers.find(key);
  if (peer == turn.plan.peers.end()) return;
  for (const Prefix& prefix : peer->second.allowed_ips)
    wanted.assigned.insert_or_assign(prefix, node);
}

void drop_grants(const Client& client, director::Steering& wanted) {
  if (!client.granted) return;
  wanted.kicks.erase({client.to, *client.granted});
  wanted.holds.erase({client.to, *client.granted});
}

/// What this client's stage wants of the director. False: nothing.
bool edit(const Turn& turn, const Client& client, director::Steering& wanted) {
  switch (client.stage) {
    case Stage::granting:
      drop_grants(client, wanted);
      wanted.kicks.insert({client.to, client.endpoint});
      if (client.dry) wanted.holds.insert({client.to, client.endpoint});
      return true;
    case Stage::adopting:
    case Stage::switching:
      drop_grants(client, wanted);
      wanted.homes.insert_or_assign(client.endpoint, client.to);
      set_assigned(turn, wanted, client.key, client.to);
      return true;
    case Stage::revoking:
      if (client.granted) wanted.kicks.erase({client.to, *client.granted});
      return true;
    case Stage::unholding:
      drop_grants(client, wanted);
      return true;
    case Stage::returning:
      drop_grants(client, wanted);
      wanted.homes.insert_or_assign(client.endpoint, client.from);
      set_assigned(turn, wanted, client.key, client.from);
      return true;
    default:
      return false;
  }
}

}  // namespace

CommandId propose(Turn& turn, director::Steering wanted) {
  State& state = turn.state;
  wanted.version = state.steering.version;
  if (wanted == state.steering) return 0;
  wanted.version = state.steering.version + 1;
  state.delta = turn.order(ApplyDelta{director::diff(state.steering, wanted)});
  state.proposed = std::move(wanted);
  state.touched = true;
  return state.delta;
}

void order_delta(Turn& turn) {
  State& state = turn.state;
  if (state.delta != 0 || !state.director_known) return;
  director::Steering wanted = state.steering;
  std::vector<Client*> edited;
  for (auto& [key, client] : state.clients) {
    if (client.waits == 0 && turn.now >= client.not_before && edit(turn, client, wanted)) {
      edited.push_back(&client);
    }
  }
  if (edited.empty()) return;
  if (!state.dead.empty()) {
    // One transaction takes everything away from a dead node: homes, rights, and the unknown
    // clients.
    wanted.active = state.targets;
    std::erase_if(wanted.kicks, [&](const auto& it) { return state.dead.contains(it.node); });
    std::erase_if(wanted.holds, [&](const auto& it) { return state.dead.contains(it.node); });
    for (auto& [endpoint, node] : wanted.homes) {
      if (state.dead.contains(node)) node = state.targets.front();
    }
    for (auto& [prefix, node] : wanted.assigned) {
      if (state.dead.contains(node)) node = state.targets.front();
    }
  }
  const CommandId id = propose(turn, std::move(wanted));
  for (Client* client : edited) client->waits = id;
  if (id == 0) {
    // The director is already so: as good as an answer.
    for (Client* client : edited) client->waits = UINT64_MAX;
    clients_answered(turn, UINT64_MAX, nullptr);
  }
}

}  // namespace weir::deployer
