#include "deployer/rollout/turn.h"

namespace weir::deployer {

director::Intent first_intent(const Plan& plan) {
  director::Intent out;
  out.revision = 1;
  out.active = director::equal_weights(plan.to);
  for (const auto& [key, peer] : plan.peers) {
    for (const Prefix& prefix : peer.allowed_ips) {
      out.assigned.insert_or_assign(prefix, node_for(key, plan.to));
    }
  }
  return out;
}

bool assign_peers(const Turn& turn) {
  State& state = turn.state;
  director::Edit edit(state.steering.intent);
  // A node that was booted anew knows no session of those that an earlier rollout made there.
  for (const director::Grant& grant : all_grants(state.steering.intent)) {
    if (!state.rollout.booted.contains(grant.node)) continue;
    edit.set_kick(grant, false);
    edit.set_hold(grant, false);
  }
  for (const auto& [key, peer] : turn.plan.peers) {
    for (const Prefix& prefix : peer.allowed_ips) {
      if (!state.steering.intent.assigned.contains(prefix)) {
        edit.assign(prefix, node_for(key, turn.plan.to));
      }
    }
  }
  const CommandId id = propose(turn, std::move(edit));
  state.rollout.task = task::Activate{id};
  return id != 0;
}

bool activate(const Turn& turn) {
  State& state = turn.state;
  state.rollout.phase = Phase::judging;
  director::Edit edit(state.steering.intent);
  edit.set_active(director::equal_weights(state.rollout.targets));
  std::set<Endpoint> staying;
  std::set<PublicKey> stayed;
  for (const Roster::Id id : state.movement.ids<stage::Stayed>()) {
    const Client& client = state.movement[id];
    if (client.way == Way::rescue || (client.why && client.why->code == Code::revoked)) continue;
    staying.insert(client.endpoint);
    stayed.insert(client.key);
    // From now on strangers go to the new pool; who stays must be known by name.
    edit.set_home(client.endpoint, client.from);
  }
  for (const auto& [endpoint, node] : state.steering.intent.homes) {
    if (contains(turn.plan.from, node) && !staying.contains(endpoint)) {
      edit.set_home(endpoint, std::nullopt);
    }
  }
  for (const auto& [key, peer] : turn.plan.peers) {
    if (stayed.contains(key)) continue;
    const Client* client = state.movement.find(key);
    const NodeId& node = client != nullptr ? client->to : node_for(key, state.rollout.targets);
    for (const Prefix& prefix : peer.allowed_ips) edit.assign(prefix, node);
  }
  turn.say("active pool is " + turn.plan.to_pool.string());
  const CommandId id = propose(turn, std::move(edit));
  state.rollout.task = task::Activate{id};
  return id != 0;
}

}  // namespace weir::deployer
