#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "deployer/rollout/rollout.h"

/// The inside of `step`: shared by its parts and by nobody else.
namespace weir::deployer {

/// One step in the making.
struct Turn {
  const Plan& plan;
  State& state;
  Instant now;
  std::vector<Ordered>& commands;
  std::vector<std::string>& reasons;

  CommandId order(Command command) {
    commands.push_back({state.next, std::move(command)});
    return state.next++;
  }
  void say(std::string reason) { reasons.push_back(std::move(reason)); }
  void enter(Client& client, Stage stage) const {
    client.stage = stage;
    client.waits = 0;
    client.since = now;
  }
};

/// A handshake alone makes 92 received bytes on the side that initiated; a data packet is 32 or
/// more.
inline constexpr std::uint64_t kResponseBytes = 92;
inline constexpr std::uint64_t kSmallestData = 32;

[[nodiscard]] const manifests::PeerState* peer_on(const State& state, const NodeId& node,
                                                  const PublicKey& key);
[[nodiscard]] bool contains(const std::vector<NodeId>& nodes, const NodeId& node);
[[nodiscard]] std::optional<NodeId> home_of(const State& state, const Endpoint& client);

// survey.cpp
/// Reads director, machines and every node's peers, all at once.
void begin_survey(Turn& turn);
/// Orders the director's state to be read; until it came no delta is ordered.
void read_director(Turn& turn);
/// Whether all has arrived that can be waited for; sorts out who is dead.
[[nodiscard]] bool survey_complete(Turn& turn);
/// Who is to be moved: fills `state.clients` with those that are not in it yet.
void find_clients(Turn& turn);
/// Clients for the rights and holds that an interrupted rollout left; true where there are any.
bool find_leftovers(Turn& turn);

// movement.cpp
/// Moves every client one stage on where it can, and orders what that takes.
void advance_clients(Turn& turn);
/// A command that clients wait for was answered.
void clients_answered(Turn& turn, CommandId id, const Error* error);
/// Asks the nodes for their peers whose answer somebody waits for.
void poll(Turn& turn);
[[nodiscard]] bool any_in(const State& state, std::initializer_list<Stage> stages);
[[nodiscard]] std::size_t count_in(const State& state, std::initializer_list<Stage> stages);

// grants.cpp
/// Puts all that clients wait for into one delta, where none is outstanding.
void order_delta(Turn& turn);
/// Orders `wanted` as the director's next version; returns 0 where nothing would change.
CommandId propose(Turn& turn, director::Steering wanted);

}  // namespace weir::deployer
