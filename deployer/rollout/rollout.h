#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "deployer/rollout/plan.h"
#include "deployer/steering/steering.h"
#include "manifests/base/result.h"
#include "manifests/messages/node_api.h"

/// The brain: what to do next, given what is known. Pure; effects are commands that somebody else
/// performs, and every answer comes back as an event that echoes its command's id.
namespace weir::deployer {

using CommandId = std::uint64_t;

// ---- commands -----------------------------------------------------------------------------------
// Every one may be repeated: a machine that runs is kept, a kick is a kick again.

struct BootPool {};        ///< `to` runs the plan's release and its nodes answer
struct ReadIdentities {};  ///< of the nodes of `to`
struct FeedPool {};        ///< `to` has the clock, the private key and the registry's peers
struct ReadClocks {};      ///< of all nodes
struct ProbePool {};       ///< a handshake and data through every node of `to`
struct StopPool {};        ///< ends the machines of `to`
struct ReadDirector {};
struct ReadHalted {};  ///< which machines are frozen or gone: known without asking the node
struct ReadPeers {
  NodeId node;
};
struct ForgetNode {
  NodeId node;
};
struct ApplyDelta {
  director::Delta delta;
};
struct Kick {  ///< an initiation to each (NodeClient::prepare)
  NodeId node;
  std::vector<manifests::PrepareRequest::Client> clients;
};
struct Commit {  ///< one keepalive edge each
  NodeId node;
  std::vector<PublicKey> peers;
};
struct GiveUp {
  NodeId node;
  std::vector<PublicKey> peers;
};
struct Nudge {
  NodeId node;
  IpAddress inner;
};
using Command =
    std::variant<BootPool, ReadIdentities, FeedPool, ReadClocks, ProbePool, StopPool, ReadDirector,
                 ReadHalted, ReadPeers, ForgetNode, ApplyDelta, Kick, Commit, GiveUp, Nudge>;
struct Ordered {
  CommandId id = 0;
  Command command;
};
/// One line for journal and log: "kick blue-1: 3 clients".
[[nodiscard]] std::string print(const Command& command);
/// Whether performing it changes anything (and so has to be journaled first).
[[nodiscard]] bool changes(const Command& command);

// ---- events -------------------------------------------------------------------------------------

struct Done {};
struct Failed {
  Error error;
};
struct IdentitiesRead {
  std::vector<manifests::NodeIdentity> nodes;
};
struct ClocksRead {
  std::map<NodeId, std::chrono::microseconds> ahead;  ///< of the deployer's clock
};
struct DirectorRead {
  director::Observed observed;
};
struct HaltedRead {
  std::set<NodeId> halted;
};
struct PeersRead {
  manifests::PeerDump dump;
};
struct Tick {};         ///< time passes
struct Interrupted {};  ///< a person wants an orderly end
struct Event {
  CommandId echo = 0;  ///< 0: nobody's answer
  std::variant<Done, Failed, IdentitiesRead, ClocksRead, DirectorRead, HaltedRead, PeersRead, Tick,
               Interrupted>
      what;
};

// ---- state --------------------------------------------------------------------------------------

/// Where one client stands. The order is the usual way.
enum class Stage : std::uint8_t {
  waiting,     ///< not touched yet
  granting,    ///< the director is asked for the right to initiate (and the hold)
  kicking,     ///< the node is asked to initiate
  kicked,      ///< until the handshake shows in the node's dump
  prepared,    ///< proved; the session stands ready, unused
  switching,   ///< the director is asked to make the node its home
  releasing,   ///< the node is asked to send the packet that confirms
  switched,    ///< until data of the client shows in the node's dump
  moved,       ///< done
  revoking,    ///< giving up: the right to initiate ends
  regarding,   ///< giving up: did it get through after all?
  forgetting,  ///< giving up: the node forgets the session
  unholding,   ///< giving up: the hold ends
  returning,   ///< was switched and not heard of: home goes back
  recalling,   ///< and its old node initiates to it
  stayed,      ///< done: on its old node, `why` says why
  doubted,     ///< its home and its sessions disagree: which node does its data reach?
  adopting,    ///< it lives on `to` already; only its home has to follow
};
[[nodiscard]] std::string_view name_of(Stage stage);

struct Client {
  PublicKey key;
  Endpoint endpoint;
  NodeId from, to;
  Stage stage = Stage::waiting;
  CommandId waits = 0;  ///< the command that this stage is about
  Instant since{0};     ///< when this stage began
  Instant first_kick{0}, prepared_at{0}, nudged_at{0};
  unsigned kicks = 0;  ///< initiations ordered
  Instant first_commit{0};
  Instant not_before{0};            ///< a command that failed is repeated no sooner
  unsigned retries = 0;             ///< initiations after a commit that did not take
  std::optional<Endpoint> granted;  ///< where rights or holds for `to` stand in the director
  bool dry = true;                  ///< the node's data is held back until the commit
  bool rescue = false;              ///< its node is dead: nothing to lose
  bool counted = true;              ///< whether staying counts as a failure
  std::int64_t from_handshake = 0, to_handshake = 0;  ///< before the kick, on each side
  std::uint64_t to_rx = 0;                            ///< before the commit
  std::uint64_t from_rx = 0;                          ///< at the last reading of `from`
  Instant from_read{0};                               ///< when that reading arrived
  Instant heard_on_from{0};  ///< the first reading in this stage that showed new data there
  Instant moved_at{0};
  std::string why;
};

/// What is known of one node.
struct NodeView {
  bool reachable = true;
  bool known = false;  ///< `peers` was read at least once in this survey
  std::map<PublicKey, manifests::PeerState> peers;
  std::int64_t clock_unix_ns = 0;
  Instant read_at{0};  ///< when the reading of `peers` was ordered
  Instant asked_at{0};
  Instant answered_at{0};
  CommandId reading = 0;  ///< outstanding
  Instant cost{0};        ///< how long the last reading took
  unsigned failures = 0;  ///< in a row
  std::string trouble;
};

/// What the rollout does now; a finer clock than the phase.
enum class Task : std::uint8_t {
  boot,
  identities,
  feed,
  survey,  ///< director and dumps are read; peers compared
  clocks,
  probe,
  resurvey,  ///< read again, right before anything is changed
  clear,     ///< what an interrupted rollout left is given up
  prepare,
  commit,
  activate,
  follow,   ///< stragglers that came to the old pool meanwhile
  abandon,  ///< everybody is given up
  stop,
  finished,
};

enum class Outcome : std::uint8_t {
  none,
  done,
  failed,       ///< nobody was moved
  rolled_back,  ///< too many could not be moved: those that were have to go back
  needs_person,
};

struct State {
  Phase phase = Phase::planned;
  Task task = Task::boot;
  CommandId next = 1;
  CommandId waits = 0;             ///< the one command that `task` is about
  CommandId delta = 0;             ///< the outstanding ApplyDelta
  CommandId reading_director = 0;  ///< the outstanding ReadDirector
  CommandId reading_halted = 0;
  Instant halted_asked{0};
  std::optional<director::Steering> proposed;
  director::Steering steering;  ///< acknowledged
  std::map<Endpoint, NodeId> learned_homes;
  bool director_known = false, halted_known = false;
  std::set<NodeId> halted;
  std::map<NodeId, NodeView> nodes;
  std::map<PublicKey, Client> clients;
  std::vector<NodeId> targets;  ///< the nodes of `to` that answer
  std::set<NodeId> dead;        ///< the nodes of `from` that did not answer the survey
  std::set<NodeId> lost;        ///< nodes of either pool whose machine halted since
  bool followed = false;        ///< stragglers were looked for
  unsigned surveys = 0;
  Instant survey_began{0};
  Instant moving_began{0};  ///< when the first client could be touched
  bool touched = false;     ///< a delta was sent: from here on giving up is work
  bool interrupted = false;
  Outcome outcome = Outcome::none;
  std::optional<Error> error;  ///< why it did not become `done`
  std::vector<std::string> warnings;
};

struct Step {
  State state;
  std::vector<Ordered> commands;
  std::vector<std::string> reasons;  ///< one line each: what was decided, and why
};

[[nodiscard]] State start(const Plan& plan);
/// One decision. Never fails: what goes wrong is part of the state.
///
/// now      not before the `now` of the step before
/// returns  the state to journal, and then the commands to perform, in order for each node and for
/// the
///          director; with `Task::finished` there are none, and none outstanding matters
[[nodiscard]] Step step(const Plan& plan, State state, const Event& event, Instant now);

}  // namespace weir::deployer
