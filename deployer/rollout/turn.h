#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "deployer/rollout/rollout.h"
#include "deployer/rollout/terms/overloaded.h"
#include "deployer/steering/edit.h"

/// The inside of `step`: shared by its parts and by nobody else.
namespace weir::deployer {

/// One step in the making.
struct Turn {
  const Plan& plan;
  State& state;
  Instant now;
  Step& out;

  CommandId order(Command command) const {
    out.commands.push_back({state.next, std::move(command)});
    return state.next++;
  }
  void say(std::string line) const { out.said.push_back(std::move(line)); }
  void warn(Reason reason) const {
    say(reason.text);
    state.rollout.warnings.push_back(std::move(reason));
  }
  [[nodiscard]] Client& client(Roster::Id id) const { return state.movement.change(id); }
  void enter(Roster::Id id, Stage stage) const {
    state.movement.enter(id, std::move(stage), now);
    note_place(state.movement[id]);
  }
  Roster::Id put(Client client) const {
    if (is<stage::Waiting>(client) || is<stage::Doubted>(client)) {
      note_resident(client);
    } else {
      note_place(client);
    }
    return state.movement.put(std::move(client));
  }
  /// Where one that nobody moved yet is, so that it is known should its node die.
  void note_resident(const Client& client) const {
    if (client.way == Way::rescue) return;
    const auto known = plan.known.find(client.key);
    const Known place{client.endpoint, client.from};
    if (known != plan.known.end() && known->second == place) return;
    out.places.push_back({client.key, client.endpoint, client.from});
  }

 private:
  void note_place(const Client& client) const {
    if (is<stage::Switching>(client) || is<stage::Moved>(client)) {
      out.places.push_back({client.key, client.endpoint, client.to});
    } else if (is<stage::Returning>(client) ||
               (is<stage::Stayed>(client) && client.way != Way::rescue)) {
      out.places.push_back({client.key, client.endpoint, client.from});
    }
  }
};

/// A handshake alone makes 92 received bytes on the side that initiated; a data packet is 32 or
/// more.
inline constexpr std::uint64_t kResponseBytes = 92;
inline constexpr std::uint64_t kSmallestData = 32;

template <class T>
[[nodiscard]] bool does(const State& state) {
  return std::holds_alternative<T>(state.rollout.task);
}
/// Whether the task is one in which clients are moved or given up.
[[nodiscard]] bool moves_clients(const Task& task);

[[nodiscard]] const manifests::PeerState* peer_on(const State& state, const NodeId& node,
                                                  const PublicKey& key);
[[nodiscard]] bool contains(const std::vector<NodeId>& nodes, const NodeId& node);
[[nodiscard]] std::optional<NodeId> home_of(const State& state, const Endpoint& client);

// survey.cpp
/// Reads director, machines and every node's peers, all at once. For a rollback the nodes of `to`
/// are brought to the registry first, each as fast as it answers.
void begin_survey(const Turn& turn);
/// Orders the director's state to be read; until it came no delta is ordered.
void read_director(const Turn& turn);
void read_peers(const Turn& turn, const NodeId& node, NodeView& view);
/// Whether all has arrived that can be waited for since `began`; sorts out who is dead.
[[nodiscard]] bool survey_complete(const Turn& turn, Instant began);

// mind_director.cpp
void director_answered(const Turn& turn, Event& event);
void delta_answered(const Turn& turn, const Event& event);
/// Reads the director again once the pause after a reading that failed is over, and ends the
/// rollout where a director fails for too long.
void mind_director(const Turn& turn);

// find_clients.cpp
/// Who is to be moved: fills `state.movement` with those that are not in it yet.
void find_clients(const Turn& turn);
/// Clients for the rights and holds that an interrupted rollout left; true where anything is to be
/// done. Holds of nodes that cannot be asked stand.
bool find_leftovers(const Turn& turn);

// feed.cpp
/// Ends the sessions of keys that left the registry, and gives what is new, on the old pool.
void feed_old_pool(const Turn& turn);
void fed(const Turn& turn, const NodeId& node, NodeView& view, const Event& event);
/// A rollback's nodes were given what changed, in a hurry; this gives them every preshared key
/// again, once a client does not answer for lack of it perhaps, at the latest when all are moved.
void confirm_keys(const Turn& turn);
void keys_confirmed(const Turn& turn, const Event& event);
/// Whether a node is still being brought to the registry.
[[nodiscard]] bool feeding(const Turn& turn);

// movement/
/// Moves every client one stage on where it can, and orders what that takes.
void advance_clients(const Turn& turn);
/// Nodes whose machines halted since are left by their clients.
void leave_lost(const Turn& turn);
/// Waiting clients begin, prepared ones are switched, as far as policy lets them.
void admit(const Turn& turn);
/// Node commands of one kind, one a node.
void order_of_nodes(const Turn& turn);
/// A command that clients wait for was answered.
void clients_answered(const Turn& turn, CommandId id, const Error* error);
/// The director is already as the client's stage wants it.
void finish_command(const Turn& turn, Roster::Id id);
void give_up(const Turn& turn, Roster::Id id, Reason why);
/// Asks the nodes for their peers whose answer somebody waits for.
void poll(const Turn& turn);
/// `node` was read after `then`, so that what its peers show may be judged; else null.
[[nodiscard]] const manifests::PeerState* fresh(const State& state, const NodeId& node,
                                                const PublicKey& key, Instant then);
[[nodiscard]] bool deaf(const State& state, const NodeId& node);

/// Clients that are neither where they were nor where they go.
[[nodiscard]] bool any_under_way(const Roster& clients);
/// The same of those that were not prepared or given up yet.
[[nodiscard]] bool any_preparing(const Roster& clients);

// grants.cpp
/// Rights and holds, of one node after another.
[[nodiscard]] std::set<director::Grant> all_grants(const director::Intent& intent);
/// Ends the rights that dead nodes have.
void revoke_on_dead(const Turn& turn);
/// Puts all that clients wait for into one delta, where none is outstanding.
void order_delta(const Turn& turn);
/// Orders the edits as the director's next revision; returns 0 where nothing would change.
CommandId propose(const Turn& turn, director::Edit edit);

// activate.cpp
/// Makes `to` the active pool, and who stays known by name. False: nothing was left to change.
bool activate(const Turn& turn);
/// `up`: inner addresses of peers that are new in the registry.
bool assign_peers(const Turn& turn);
/// The first intent of a director that did not steer before.
[[nodiscard]] director::Intent first_intent(const Plan& plan);

// ending.cpp
/// Ends the rollout. Before steering was touched this stops what was booted; `up` undoes what it
/// made.
void refuse(const Turn& turn, Reason why, Outcome outcome = Outcome::failed);
/// Everybody who was prepared is given up first.
void abandon(const Turn& turn, Reason why, Outcome outcome);
void abandon_interrupted(const Turn& turn);
/// Whoever interrupts now finds everybody where they belong: what is left is quickly done.
[[nodiscard]] bool nobody_is_left(const Turn& turn);
/// How many clients could not be moved, where that is too many.
[[nodiscard]] std::optional<Reason> too_many(const Turn& turn);
/// A node that clients are moved to halted: a deploy does not go on with what is left of its pool.
[[nodiscard]] std::optional<Reason> lost_target(const Turn& turn);
void conclude(const Turn& turn);
/// Ends it where it stands: what it needs to go on, or to give up in order, is not there.
void break_off(const Turn& turn, Reason why);
void finish(const Turn& turn, Outcome outcome, Phase phase);

// waiting.cpp
/// Where nothing was said for two seconds: what is waited for, and for how long yet; every few
/// seconds again. Comes last in a step.
void tell_waiting(const Turn& turn);

// tasks.cpp
/// What the current task does when nothing outstanding holds it up.
void proceed(const Turn& turn);
/// Orders the first command, or the first survey.
void set_out(const Turn& turn);
/// The command that the task is about was answered.
void task_answered(const Turn& turn, const Event& event);
void survey(const Turn& turn, Task task);
[[nodiscard]] nodelife::Wanted wanted_of(const Plan& plan);

}  // namespace weir::deployer
