#include <algorithm>
#include <utility>

#include "deployer/rollout/nodelife/nodelife.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

bool has_revoked(const Plan& plan, const PeerTable& peers) {
  return std::any_of(peers.begin(), peers.end(), [&](const manifests::PeerState& peer) {
    return !plan.peers.contains(peer.public_key);
  });
}

/// What a node said of being fed, where it did not take everything; null where it did.
const Error* refusal(const NodeId& node, const Event& event) {
  if (const auto* failed = std::get_if<Failed>(&event.what)) return &failed->error;
  const auto* answer = std::get_if<NodesFed>(&event.what);
  if (answer == nullptr) return nullptr;
  const auto found = answer->nodes.find(node);
  return found == answer->nodes.end() || !found->second.error ? nullptr : &*found->second.error;
}

/// Keeps what became of nodes; one that failed is named.
void note_fed(const Turn& turn, const std::vector<NodeId>& nodes, const Event& event) {
  NodesFed answer;
  if (const auto* read = std::get_if<NodesFed>(&event.what)) answer = *read;
  if (const auto* failed = std::get_if<Failed>(&event.what)) {
    for (const NodeId& node : nodes) answer.nodes[node].error = failed->error;
  }
  for (auto& [node, one] : answer.nodes) {
    if (one.error) {
      turn.warn({Code::unfed, "node " + node.string() +
                                  " was not brought to the registry: " + one.error->message});
    }
    Fed& all = turn.state.rollout.fed[node];
    if (one.error) all.error = std::move(one.error);
    all.added.insert(all.added.end(), one.added.begin(), one.added.end());
    all.changed.insert(all.changed.end(), one.changed.begin(), one.changed.end());
    all.removed.insert(all.removed.end(), one.removed.begin(), one.removed.end());
  }
}

}  // namespace

void feed_old_pool(const Turn& turn) {
  State& state = turn.state;
  for (const NodeId& node : turn.plan.from) {
    NodeView& view = state.nodes[node];
    if (!view.known || view.feeding != 0 || !has_revoked(turn.plan, view.peers)) continue;
    turn.say("node " + node.string() + " knows keys that the registry does not: removing them");
    view.feeding = turn.order(FeedChanges{node});
  }
}

void fed(const Turn& turn, const NodeId& node, NodeView& view, const Event& event) {
  view.feeding = 0;
  note_fed(turn, {node}, event);
  if (!does<task::Survey>(turn.state) || !contains(turn.plan.to, node)) return;
  const Error* why = refusal(node, event);
  // Whoever answers is asked: what it has decides whom it can take.
  const bool answers =
      why == nullptr || (why->code != Errc::timeout && why->code != Errc::not_found);
  if (answers) return read_peers(turn, node, view);
  ++view.failures;
  view.trouble = why->message;
}

void confirm_keys(const Turn& turn) {
  Rollout& rollout = turn.state.rollout;
  if (turn.plan.kind != Kind::rollback || std::exchange(rollout.confirmed, true)) return;
  const auto& peers = turn.plan.peers;
  const bool any = std::any_of(peers.begin(), peers.end(), [](const auto& it) {
    return it.second.preshared_key_file.has_value();
  });
  std::vector<NodeId> nodes;
  for (const NodeId& node : rollout.targets) {
    if (!rollout.lost.contains(node)) nodes.push_back(node);
  }
  if (any && !nodes.empty()) rollout.confirming = turn.order(FeedNodes{std::move(nodes)});
}

void keys_confirmed(const Turn& turn, const Event& event) {
  turn.state.rollout.confirming = 0;
  note_fed(turn, turn.state.rollout.targets, event);
}

bool feeding(const Turn& turn) {
  const State& state = turn.state;
  if (state.rollout.confirming != 0) return true;
  return std::any_of(turn.plan.from.begin(), turn.plan.from.end(), [&](const NodeId& node) {
    return state.nodes.at(node).feeding != 0 && !state.rollout.dead.contains(node) &&
           !state.rollout.lost.contains(node);
  });
}

}  // namespace weir::deployer
