#include <algorithm>

#include "deployer/rollout/movement/times.h"
#include "deployer/rollout/terms/counted.h"
#include "deployer/rollout/turn.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kSilence{2};
constexpr seconds kTellAgain{5};

std::string passed(milliseconds time) {
  return std::to_string(std::chrono::floor<seconds>(time).count()) + " s";
}

std::string up_to(milliseconds time) {
  return "up to " + std::to_string(std::chrono::ceil<seconds>(time).count()) + " s";
}

/// What the nodes of a pool that comes to life do.
class Living {
 public:
  explicit Living(const Turn& turn)
      : now_(turn.now),
        boot_timeout_(turn.plan.policy.boot_timeout),
        nodes_(counted(turn.plan.to.size(), "node") + " of pool " + turn.plan.to_pool.string()) {}

  std::string operator()(const nodelife::at::Boot&) const {
    return "waiting for " + nodes_ + " to boot (" + passed(now_) + " since the order, " +
           up_to(boot_timeout_) + ")";
  }
  std::string operator()(const nodelife::at::Identities&) const {
    return "waiting for the identity of " + nodes_;
  }
  std::string operator()(const nodelife::at::Clocks&) const { return "reading clocks"; }
  std::string operator()(const nodelife::at::Setting&) const { return "setting clocks"; }
  std::string operator()(const nodelife::at::Feed&) const { return "giving peers to " + nodes_; }
  std::string operator()(const nodelife::at::Forget&) const { return "waiting for the director"; }
  std::string operator()(const nodelife::at::Probe&) const { return "probing " + nodes_; }
  std::string operator()(const nodelife::at::Up&) const { return {}; }
  std::string operator()(const nodelife::at::Failed&) const { return {}; }

 private:
  Instant now_;
  milliseconds boot_timeout_;
  std::string nodes_;
};

/// What clients that are told to move wait for.
class Moving {
 public:
  explicit Moving(const Turn& turn) : turn_(turn), clients_(turn.state.movement) {}

  [[nodiscard]] std::string preparing() const {
    const auto left = clients_.count<stage::Waiting, stage::Granting, stage::Kicking, stage::Kicked,
                                     stage::Doubted, stage::Adopting>();
    std::string out = of_all(clients_.count<stage::Prepared, stage::Moved>(), "prepared");
    if (left != 0) {
      out += "; waiting for handshakes with " + counted(left, "client") + " (" +
             up_to(turn_.plan.policy.prepare_timeout) + " each)";
    }
    return out;
  }
  [[nodiscard]] std::string committing() const {
    const auto calls = clients_.count<stage::Kicking, stage::Kicked>();
    const auto back = clients_.count<stage::Returning, stage::Recalling>();
    std::string out = of_all(clients_.count<stage::Moved>(), "moved") + quiet();
    if (calls != 0) out += "; " + counted(calls, "client") + " called with a handshake";
    if (back != 0) out += "; " + counted(back, "client") + " on the way back";
    return out;
  }
  [[nodiscard]] std::string giving_up() const {
    const auto settled = clients_.count<stage::Moved, stage::Stayed>();
    return "giving up: " + counted(clients_.size() - settled, "client") + " under way";
  }

 private:
  [[nodiscard]] std::string of_all(std::size_t n, const char* what) const {
    return std::to_string(n) + " of " + counted(clients_.size(), "client") + " " + what;
  }
  /// Who was told, and was heard on neither node since.
  [[nodiscard]] std::string quiet() const {
    std::size_t count = 0;
    milliseconds left{0};
    for (const Roster::Id id : clients_.ids<stage::Switched>()) {
      const Client& client = clients_[id];
      const bool heard = std::get<stage::Switched>(client.stage).old.heard > client.since;
      if (heard || turn_.now - client.since < kCommitAgain) continue;
      ++count;
      const milliseconds limit =
          client.way == Way::rescue ? kRescueTimeout : turn_.plan.policy.commit_timeout;
      left = std::max(left, limit - (turn_.now - client.committed));
    }
    if (count == 0) return {};
    return "; waiting for " + counted(count, "quiet client") + " (" + up_to(left) + " more)";
  }

  const Turn& turn_;
  const Roster& clients_;
};

std::string waiting_for(const Turn& turn) {
  const Moving moving(turn);
  const auto director = [] { return std::string("waiting for the director"); };
  return std::visit(
      Overloaded{
          [](const task::Start&) { return std::string(); },
          [&](const task::Install&) { return director(); },
          [&](const task::BringUp& it) { return std::visit(Living(turn), it.life.now); },
          [&](const task::Survey&) {
            return "reading the director and the peers of " +
                   counted(turn.plan.from.size() + turn.plan.to.size(), "node");
          },
          [&](const task::Clear&) { return moving.giving_up(); },
          [&](const task::Prepare&) { return moving.preparing(); },
          [&](const task::Commit&) { return moving.committing(); },
          [&](const task::Activate&) { return director(); },
          [&](const task::Follow&) { return moving.committing(); },
          [&](const task::Abandon&) { return moving.giving_up(); },
          [&](const task::Look&) { return director(); },
          [&](const task::Stop&) {
            return "ending the machines of pool " + turn.plan.to_pool.string();
          },
          [&](const task::Remove&) { return director(); },
          [](const task::Finished&) { return std::string(); },
      },
      turn.state.rollout.task);
}

}  // namespace

void tell_waiting(const Turn& turn) {
  std::optional<Instant>& tell = turn.state.rollout.tell;
  if (!tell || !turn.out.said.empty()) {
    tell = turn.now + kSilence;
    return;
  }
  if (turn.now < *tell) return;
  tell = turn.now + kTellAgain;
  if (std::string line = waiting_for(turn); !line.empty()) turn.say(std::move(line));
}

}  // namespace weir::deployer
