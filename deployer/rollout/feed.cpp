#include <algorithm>

#include "deployer/rollout/nodelife/nodelife.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

bool has_revoked(const Plan& plan, const PeerTable& peers) {
  return std::any_of(peers.begin(), peers.end(), [&](const manifests::PeerState& peer) {
    return !plan.peers.contains(peer.public_key);
  });
}

}  // namespace

void feed_old_pool(const Turn& turn) {
  State& state = turn.state;
  for (const NodeId& node : turn.plan.from) {
    NodeView& view = state.nodes[node];
    if (!view.known || view.feeding != 0 || !has_revoked(turn.plan, view.peers)) continue;
    turn.say("node " + node.string() + " knows keys that the registry does not: removing them");
    view.feeding = turn.order(FeedNodes{{node}});
  }
}

void fed(const Turn& turn, const NodeId& node, NodeView& view, const Event& event) {
  State& state = turn.state;
  view.feeding = 0;
  const auto unfed = [&](const Error& error) {
    turn.warn({Code::unfed,
               "node " + node.string() + " was not brought to the registry: " + error.message});
  };
  if (const auto* failed = std::get_if<Failed>(&event.what)) {
    unfed(failed->error);
    state.rollout.fed.insert_or_assign(node, Fed{failed->error, {}, {}, {}});
  } else if (const auto* answer = std::get_if<NodesFed>(&event.what)) {
    for (const auto& [each, one] : answer->nodes) {
      if (one.error) unfed(*one.error);
      state.rollout.fed.insert_or_assign(each, one);
    }
  }
  // Whatever became of it: what it has now decides whom it can take.
  if (does<task::Survey>(state) && contains(turn.plan.to, node)) read_peers(turn, node, view);
}

bool feeding(const Turn& turn) {
  const State& state = turn.state;
  return std::any_of(turn.plan.from.begin(), turn.plan.from.end(), [&](const NodeId& node) {
    return state.nodes.at(node).feeding != 0 && !state.rollout.dead.contains(node) &&
           !state.rollout.lost.contains(node);
  });
}

}  // namespace weir::deployer
