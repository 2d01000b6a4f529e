#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

using Id = Roster::Id;

/// What one client's stage wants of the director.
class Wanting {
 public:
  Wanting(const Turn& turn, const Client& client, director::Edit& edit)
      : turn_(turn), client_(client), edit_(edit) {}

  void operator()(const stage::Granting&) const {
    drop_grants();
    edit_.set_kick({client_.to, client_.endpoint}, true);
    if (client_.way == Way::held) edit_.set_hold({client_.to, client_.endpoint}, true);
  }
  void operator()(const stage::Adopting&) const { live_on(client_.to); }
  void operator()(const stage::Switching&) const { live_on(client_.to); }
  void operator()(const stage::Revoking&) const {
    if (client_.granted) edit_.set_kick({client_.to, *client_.granted}, false);
  }
  void operator()(const stage::Unholding&) const {
    drop_grants();
    hold_back_halted();
  }
  void operator()(const stage::Returning&) const {
    live_on(client_.from);
    hold_back_halted();
  }

 private:
  /// A frozen node may have an answer, or have been told to speak: the client would follow what it
  /// says once it goes on.
  void hold_back_halted() const {
    const Rollout& rollout = turn_.state.rollout;
    if (!rollout.lost.contains(client_.to) && !rollout.dead.contains(client_.to)) return;
    edit_.set_hold({client_.to, client_.granted.value_or(client_.endpoint)}, true);
  }
  void drop_grants() const {
    if (!client_.granted) return;
    edit_.set_kick({client_.to, *client_.granted}, false);
    edit_.set_hold({client_.to, *client_.granted}, false);
  }
  void live_on(const NodeId& node) const {
    drop_grants();
    edit_.set_home(client_.endpoint, node);
    const auto peer = turn_.plan.peers.find(client_.key);
    if (peer == turn_.plan.peers.end()) return;
    for (const Prefix& prefix : peer->second.allowed_ips) edit_.assign(prefix, node);
  }

  const Turn& turn_;
  const Client& client_;
  director::Edit& edit_;
};

/// Edits for those of a stage that may ask; they are added to `asked`.
template <class S>
void ask(const Turn& turn, director::Edit& edit, std::vector<Id>& asked) {
  for (const Id id : turn.state.movement.ids<S>()) {
    const Client& client = turn.state.movement[id];
    const S& stage = std::get<S>(client.stage);
    if (stage.not_before > turn.now) continue;
    Wanting(turn, client, edit)(stage);
    asked.push_back(id);
  }
}

/// The same for each stage that asks the director.
template <std::size_t... I>
void ask_all(const Turn& turn, director::Edit& edit, std::vector<Id>& asked,
             std::index_sequence<I...> /*stages*/) {
  const auto of_stage = [&]<class S>(Tag<S> tag) {
    if constexpr (traits(tag).asked == Asked::director) ask<S>(turn, edit, asked);
  };
  (of_stage(Tag<std::variant_alternative_t<I, Stage>>()), ...);
}

void take_rights_of_dead(const Turn& turn, director::Edit& edit) {
  for (const auto& grant : turn.state.steering.intent.kicks) {
    if (turn.state.rollout.dead.contains(grant.node)) edit.set_kick(grant, false);
  }
}

/// One transaction takes everything away from dead nodes: homes, rights, and the unknown clients.
/// Holds stand: a frozen node may go on.
void leave_dead(const Turn& turn, director::Edit& edit) {
  State& state = turn.state;
  const auto& dead = state.rollout.dead;
  const auto& targets = state.rollout.targets;
  const director::Intent& intent = state.steering.intent;
  edit.set_active(director::equal_weights(targets));
  take_rights_of_dead(turn, edit);
  for (const auto& [endpoint, node] : intent.homes) {
    if (dead.contains(node)) edit.set_home(endpoint, targets.front());
  }
  for (const auto& [prefix, node] : intent.assigned) {
    if (dead.contains(node)) edit.assign(prefix, targets.front());
  }
  state.steering.dead_left = true;
}

}  // namespace

CommandId propose(const Turn& turn, director::Edit edit) {
  Steering& steering = turn.state.steering;
  if (edit.empty()) return 0;
  director::Delta delta = std::move(edit).delta();
  if (!director::apply(steering.intent, delta)) return 0;  // made from this very intent
  steering.delta = turn.order(ApplyDelta{std::move(delta)});
  steering.touched = true;
  return steering.delta;
}

std::set<director::Grant> all_grants(const director::Intent& intent) {
  std::set<director::Grant> out = intent.kicks;
  out.insert(intent.holds.begin(), intent.holds.end());
  return out;
}

void revoke_on_dead(const Turn& turn) {
  director::Edit edit(turn.state.steering.intent);
  take_rights_of_dead(turn, edit);
  propose(turn, std::move(edit));
}

void order_delta(const Turn& turn) {
  State& state = turn.state;
  if (state.steering.delta != 0 || !state.steering.known) return;
  if (state.movement.count(Asked::director) == 0) return;
  director::Edit edit(state.steering.intent);
  std::vector<Id> asked;
  // Before what clients want, which goes before it where both name one address.
  const bool first = !state.rollout.dead.empty() && !state.steering.dead_left;
  if (first) leave_dead(turn, edit);
  ask_all(turn, edit, asked, std::make_index_sequence<std::variant_size_v<Stage>>());
  if (asked.empty()) {
    if (first) state.steering.dead_left = false;
    return;
  }
  const CommandId id = propose(turn, std::move(edit));
  for (const Id client : asked) {
    if (id != 0) {
      state.movement.wait(client, id);
    } else {
      finish_command(turn, client);  // the director is already so: as good as an answer
    }
  }
}

}  // namespace weir::deployer
