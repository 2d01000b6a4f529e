#include "deployer/rollout/movement/times.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

using Id = Roster::Id;

Reason refused(const Error& error) {
  return {Code::node_refused, error.message};
}

/// Stages that ask nobody, and so are never answered.
struct AskNobody {
  void operator()(const stage::Waiting&) const {}
  void operator()(const stage::Kicked&) const {}
  void operator()(const stage::Prepared&) const {}
  void operator()(const stage::Switched&) const {}
  void operator()(const stage::Moved&) const {}
  void operator()(const stage::Regarding&) const {}
  void operator()(const stage::Stayed&) const {}
  void operator()(const stage::Doubted&) const {}
};

/// What became of one client whose command failed; it asks again unless it has waited too long.
class Failing : AskNobody {
 public:
  using AskNobody::operator();
  Failing(const Turn& turn, Id id, const Error& error) : turn_(turn), id_(id), error_(error) {}

  void operator()(const stage::Kicking& it) const {
    if (it.first_kick == Instant{0} ||
        turn_.now - it.first_kick <= turn_.plan.policy.prepare_timeout) {
      return;
    }
    Client& client = turn_.client(id_);
    switch (client.way) {
      case Way::held:
        return give_up(turn_, id_, refused(error_));
      case Way::called:
        client.why = refused(error_);
        return turn_.enter(id_, stage::Returning{{0, it.not_before}});
      case Way::rescue:
        client.why = refused(error_);
        return turn_.enter(id_, stage::Stayed{});
    }
  }
  void operator()(const stage::Releasing& it) const {
    if (waited() <= turn_.plan.policy.commit_timeout) return;
    turn_.client(id_).why = refused(error_);
    turn_.enter(id_, stage::Returning{{0, it.not_before}});
  }
  void operator()(const stage::Forgetting& it) const {
    if (waited() > kKickAgain) turn_.enter(id_, stage::Unholding{{0, it.not_before}});
  }
  void operator()(const stage::Recalling&) const {
    if (waited() > kKickAgain) turn_.enter(id_, stage::Stayed{});
  }
  // The director's: ordered again with what it says its revision is.
  void operator()(const stage::Granting&) const {}
  void operator()(const stage::Switching&) const {}
  void operator()(const stage::Revoking&) const {}
  void operator()(const stage::Unholding&) const {}
  void operator()(const stage::Returning&) const {}
  void operator()(const stage::Adopting&) const {}

 private:
  [[nodiscard]] milliseconds waited() const { return turn_.now - turn_.client(id_).since; }
  const Turn& turn_;
  Id id_;
  const Error& error_;
};

/// What follows for one client once its command was performed.
class Finishing : AskNobody {
 public:
  using AskNobody::operator();
  Finishing(const Turn& turn, Id id) : turn_(turn), id_(id), client_(turn.client(id)) {}

  void operator()(const stage::Granting& it) const {
    client_.granted = client_.endpoint;
    turn_.enter(id_, stage::Kicking{{}, it.first_kick});
  }
  void operator()(const stage::Adopting&) const {
    client_.granted.reset();
    client_.why = Reason{Code::already_there, "was there already"};
    turn_.enter(id_, stage::Moved{});
  }
  void operator()(const stage::Kicking& it) const {
    turn_.enter(id_, stage::Kicked{it.first_kick});
  }
  void operator()(const stage::Switching&) const {
    client_.granted.reset();
    if (client_.way != Way::rescue) return turn_.enter(id_, stage::Releasing{});
    client_.committed = turn_.now;
    turn_.enter(id_, stage::Kicking{});
  }
  void operator()(const stage::Releasing&) const { turn_.enter(id_, stage::Switched{}); }
  void operator()(const stage::Revoking&) const { turn_.enter(id_, stage::Regarding{}); }
  void operator()(const stage::Forgetting&) const { turn_.enter(id_, stage::Unholding{}); }
  void operator()(const stage::Unholding&) const {
    client_.granted.reset();
    turn_.enter(id_, stage::Stayed{});
  }
  void operator()(const stage::Returning&) const {
    client_.granted.reset();
    turn_.say(shown(turn_.plan, client_.key) + " returns to " + client_.from.string() + ": " +
              (client_.why ? client_.why->text : std::string("it was not heard of")));
    if (deaf(turn_.state, client_.from)) return turn_.enter(id_, stage::Stayed{});
    turn_.enter(id_, stage::Recalling{{0, turn_.now + kRecallAfter}, {}});
  }
  void operator()(const stage::Recalling&) const { turn_.enter(id_, stage::Stayed{}); }

 private:
  const Turn& turn_;
  Id id_;
  Client& client_;
};

/// The machine of `to` halted: nobody waits for its answers, and who was switched goes back. What
/// is with the director ends first.
class Leaving {
 public:
  Leaving(const Turn& turn, Id id) : turn_(turn), id_(id), client_(turn.client(id)) {}

  void operator()(const stage::Granting& it) const {
    if (it.waits == 0) give_up(turn_, id_, why());
  }
  void operator()(const stage::Waiting&) const { give_up(turn_, id_, why()); }
  void operator()(const stage::Prepared&) const { give_up(turn_, id_, why()); }
  void operator()(const stage::Kicking&) const { end(); }
  void operator()(const stage::Kicked&) const { end(); }
  void operator()(const stage::Releasing&) const { go_back(); }
  void operator()(const stage::Switched&) const { go_back(); }
  void operator()(const stage::Forgetting&) const { turn_.enter(id_, stage::Unholding{}); }
  // These go on without it, or are over.
  void operator()(const stage::Switching&) const {}
  void operator()(const stage::Moved&) const {}
  void operator()(const stage::Revoking&) const {}
  void operator()(const stage::Regarding&) const {}
  void operator()(const stage::Unholding&) const {}
  void operator()(const stage::Returning&) const {}
  void operator()(const stage::Recalling&) const {}
  void operator()(const stage::Stayed&) const {}
  void operator()(const stage::Doubted&) const {}
  void operator()(const stage::Adopting&) const {}

 private:
  [[nodiscard]] Reason why() const {
    return {Code::node_lost, "the machine of node " + client_.to.string() + " is frozen or gone"};
  }
  void end() const {
    if (client_.way == Way::held) return give_up(turn_, id_, why());
    go_back();
  }
  void go_back() const {
    client_.why = why();
    turn_.enter(id_, stage::Returning{});
  }
  const Turn& turn_;
  Id id_;
  Client& client_;
};

}  // namespace

void finish_command(const Turn& turn, Roster::Id id) {
  const Stage stage = turn.client(id).stage;  // what follows is written over it
  std::visit(Finishing(turn, id), stage);
}

void clients_answered(const Turn& turn, CommandId id, const Error* error) {
  const Instant not_before = error == nullptr ? Instant{0} : turn.now + kRepeatAfterError;
  for (const Id client : turn.state.movement.answered(id, not_before)) {
    if (error == nullptr) {
      finish_command(turn, client);
    } else {
      const Stage stage = turn.client(client).stage;
      std::visit(Failing(turn, client, *error), stage);
    }
  }
}

void leave_lost(const Turn& turn) {
  Roster& clients = turn.state.movement;
  for (const NodeId& node : turn.state.rollout.lost) {
    // Only these wait for a node, or would begin to.
    if (clients.count_to<stage::Waiting, stage::Granting, stage::Kicking, stage::Kicked,
                         stage::Prepared, stage::Releasing, stage::Switched, stage::Forgetting>(
            node) == 0) {
      continue;
    }
    for (Id id = 0; id < clients.size(); ++id) {
      if (clients[id].to != node || clients[id].way == Way::rescue) continue;
      const Stage stage = clients[id].stage;
      std::visit(Leaving(turn, id), stage);
    }
  }
}

}  // namespace weir::deployer
