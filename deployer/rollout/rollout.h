#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "deployer/rollout/movement/roster.h"
#include "deployer/rollout/nodelife/nodelife.h"
#include "deployer/rollout/terms/commands.h"
#include "deployer/rollout/terms/inner_owners.h"
#include "deployer/rollout/terms/peer_table.h"
#include "deployer/rollout/terms/plan.h"
#include "deployer/rollout/terms/reason.h"
#include "deployer/steering/applied.h"
#include "deployer/steering/steering.h"

/// The brain: what to do next, given what is known. Pure; effects are commands that somebody else
/// performs, and every answer comes back as an event that echoes its command's id.
namespace weir::deployer {

/// What is known of one node.
struct NodeView {
  bool known = false;  ///< `peers` was read at least once in this survey
  PeerTable peers{};
  std::int64_t clock_unix_ns = 0;
  Instant read_at{0};  ///< when the reading of `peers` was ordered
  Instant asked_at{0};
  Instant answered_at{0};
  CommandId reading = 0;  ///< outstanding
  CommandId feeding = 0;  ///< the same, of what brings it to the registry
  CommandId timing = 0;   ///< the same, of its clock
  Instant cost{0};        ///< how long the last reading took
  unsigned failures = 0;  ///< in a row
  std::string trouble{};
};

/// What the rollout does now; a finer clock than the phase. Each task carries what only it needs.
namespace task {
struct Start {};  ///< nothing was ordered yet
struct Install {  ///< `up`, where nothing steers yet
  CommandId waits = 0;
};
struct BringUp {  ///< the nodes of `to`
  nodelife::Life life;
};
struct Survey {  ///< director, machines and dumps are read; peers compared
  Instant began{0};
};
struct Clear {};    ///< what an interrupted rollout left is given up
struct Prepare {};  ///< handshakes
struct Commit {};   ///< and moves
struct Activate {
  CommandId waits = 0;
};
struct Follow {  ///< stragglers that came to the old pool meanwhile
  bool followed = false;
};
struct Abandon {};  ///< everybody is given up
struct Look {       ///< does anybody live on the pool that is to be stopped?
  CommandId waits = 0;
};
struct Stop {
  CommandId waits = 0;
};
struct Remove {  ///< the director that a failed `up` installed
  CommandId waits = 0;
};
struct Finished {};
}  // namespace task
using Task = std::variant<task::Start, task::Install, task::BringUp, task::Survey, task::Clear,
                          task::Prepare, task::Commit, task::Activate, task::Follow, task::Abandon,
                          task::Look, task::Stop, task::Remove, task::Finished>;
[[nodiscard]] std::string_view name_of(const Task& task);

enum class Outcome : std::uint8_t {
  none,
  done,
  failed,       ///< nobody was moved
  rolled_back,  ///< too many could not be moved: those that were have to go back
  needs_person,
};

/// What shows that the pool which serves now does so.
enum class Proof : std::uint8_t {
  unneeded,  ///< no node is new in service
  nothing,
  probe,    ///< handshake and data of a probe through each new node
  clients,  ///< at least one client's data
};

/// The order: how far it is and what it came to.
struct Rollout {
  Phase phase = Phase::planned;
  Task task{};
  bool interrupted = false;
  Instant interrupted_at{0};
  Outcome outcome = Outcome::none;
  std::optional<Reason> refusal{};  ///< why it did not become `done`
  std::vector<Reason> warnings{};
  Proof proof = Proof::unneeded;
  bool probed = false;
  unsigned surveys = 0;
  Instant moving_began{0};        ///< when the first client could be touched
  std::vector<NodeId> targets{};  ///< the nodes of `to` that answer
  std::set<NodeId> dead{};        ///< the nodes of `from` that did not answer the survey
  std::set<NodeId> lost{};        ///< nodes of either pool whose machine halted since
  std::set<NodeId> booted{};      ///< anew, by this rollout
  std::map<NodeId, Fed> fed{};    ///< what became of each node's peers
  bool confirmed = false;         ///< a rollback's nodes are given all preshared keys again
  CommandId confirming = 0;       ///< the outstanding FeedNodes that does so
  std::optional<Instant> tell{};  ///< when to say what is waited for, if nothing is said before
};

/// Steering: what is wanted, and beside it what is applied and learned.
struct Steering {
  director::Intent intent{};  ///< with what is ordered and not yet acknowledged
  director::AppliedBy applied{};
  std::map<Endpoint, NodeId> learned_homes{};
  bool known = false;        ///< read, and nothing was refused since
  bool touched = false;      ///< a delta was sent: from here on giving up is work
  bool dead_left = false;    ///< nothing in `intent` names a dead node, but for holds
  CommandId delta = 0;       ///< the outstanding ApplyDelta
  CommandId reading = 0;     ///< the outstanding ReadDirector
  unsigned unread = 0;       ///< readings that failed, in a row
  unsigned refused = 0;      ///< deltas that failed, in a row
  Instant trouble_since{0};  ///< when the first of either did
  Instant not_before{0};     ///< after one that failed, the next is ordered no sooner
  std::string trouble{};     ///< what was said of the last one
};

/// Which machines are frozen or gone.
struct Machines {
  bool known = false;
  std::set<NodeId> halted{};
  CommandId reading = 0;
  Instant asked{0};
};

struct State {
  CommandId next = 1;
  Rollout rollout{};
  Roster movement{};  ///< the clients
  Steering steering{};
  Machines machines{};
  std::map<NodeId, NodeView> nodes{};
  std::optional<InnerOwners> owners{};  ///< of the plan's peers, from the first use on
};
[[nodiscard]] bool finished(const State& state);
/// From here on new clients go to the plan's `to`.
[[nodiscard]] bool activated(const State& state);

/// Where a client lives since this step.
struct Place {
  PublicKey key;
  Endpoint endpoint;
  NodeId node;
};

struct Step {
  std::vector<Ordered> commands;
  std::vector<std::string> said;  ///< one line each: what was decided, and why
  std::vector<Place> places;
};

[[nodiscard]] State start(const Plan& plan);
/// Ends it where it stands, for a person to decide: nothing more is ordered, who is under way stays
/// so, and the next rollout finds what there is.
void break_off(State& state, Reason why);
/// One decision, at a cost that grows with what it touches. Never fails: what goes wrong becomes
/// part of the state.
///
/// now      not before the `now` of the step before
/// returns  the commands to perform once state and commands are kept, in order for each node and
///          for the director; with `finished` there are none, and none outstanding matters
[[nodiscard]] Step step(const Plan& plan, State& state, Event event, Instant now);

}  // namespace weir::deployer
