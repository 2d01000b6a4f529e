#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "deployer/steering/steering.h"
#include "manifests/base/result.h"
#include "manifests/messages/node_api.h"

/// What the engine asks of the world, and what the world answers. Whoever performs a command
/// answers with one event that echoes the command's id.
namespace weir::deployer {

using CommandId = std::uint64_t;

// ---- commands -----------------------------------------------------------------------------------
// Every one may be repeated: a machine that runs is kept, a kick is a kick again.

/// Makes the director steer; links of machines that run are attached. Answer: Done.
struct InstallDirector {
  director::Intent intent;
  bool seeded = false;  ///< with what running nodes know of their clients
  bool operator==(const InstallDirector&) const = default;
};
struct RemoveDirector {  ///< Answer: Done
  bool operator==(const RemoveDirector&) const = default;
};
/// The plan's pool runs the plan's release and its nodes answer. Answer: Booted.
struct BootPool {
  bool operator==(const BootPool&) const = default;
};
struct StopPool {  ///< ends the machines of the pool that was booted. Answer: Done
  bool operator==(const StopPool&) const = default;
};
struct ReadIdentities {  ///< Answer: IdentitiesRead, of all of them
  std::vector<NodeId> nodes;
  bool operator==(const ReadIdentities&) const = default;
};
/// Each node has the private key, and exactly the registry's peers: the missing are added, those
/// with other allowed IPs or preshared keys changed, the others removed. Answer: NodesFed, in which
/// each node stands.
struct FeedNodes {
  std::vector<NodeId> nodes;
  bool operator==(const FeedNodes&) const = default;
};
/// The same in a hurry: preshared keys that a node has are not given again, and one that does not
/// answer at once is not waited for. Answer: NodesFed.
struct FeedChanges {
  NodeId node;
  bool operator==(const FeedChanges&) const = default;
};
struct ReadClocks {  ///< Answer: ClocksRead, of all of them
  std::vector<NodeId> nodes;
  bool operator==(const ReadClocks&) const = default;
};
struct SetClocks {  ///< to so far ahead of the deployer's, with a private key or without. Answer:
                    ///< Done
  std::map<NodeId, std::chrono::microseconds> ahead;
  bool operator==(const SetClocks&) const = default;
};
struct ProbeNodes {  ///< a handshake and data through each, one after the other. Answer: Done
  std::vector<NodeId> nodes;
  bool operator==(const ProbeNodes&) const = default;
};
struct ReadDirector {  ///< Answer: DirectorRead
  bool operator==(const ReadDirector&) const = default;
};
/// Which machines are frozen or gone: known without asking the node. Answer: HaltedRead.
struct ReadHalted {
  bool operator==(const ReadHalted&) const = default;
};
struct ReadPeers {  ///< Answer: PeersRead
  NodeId node;
  bool operator==(const ReadPeers&) const = default;
};
struct ForgetNode {  ///< what packets taught about it. Answer: Done
  NodeId node;
  bool operator==(const ForgetNode&) const = default;
};
struct ApplyDelta {  ///< Answer: Done
  director::Delta delta;
  bool operator==(const ApplyDelta&) const = default;
};
struct Kick {  ///< an initiation to each (NodeClient::prepare). Answer: Done
  NodeId node;
  std::vector<manifests::PrepareRequest::Client> clients;
};
struct Commit {  ///< one keepalive edge each. Answer: Done
  NodeId node;
  std::vector<PublicKey> peers;
  bool operator==(const Commit&) const = default;
};
struct GiveUp {  ///< the sessions are forgotten. Answer: Done
  NodeId node;
  std::vector<PublicKey> peers;
  bool operator==(const GiveUp&) const = default;
};
struct Nudge {  ///< one inner packet through `node`. Answer: Done
  NodeId node;
  IpAddress inner;
  bool operator==(const Nudge&) const = default;
};
bool operator==(const Kick& a, const Kick& b);

using Command =
    std::variant<InstallDirector, RemoveDirector, BootPool, StopPool, ReadIdentities, FeedNodes,
                 ReadClocks, SetClocks, ProbeNodes, ReadDirector, ReadHalted, ReadPeers, ForgetNode,
                 ApplyDelta, Kick, Commit, GiveUp, Nudge, FeedChanges>;
struct Ordered {
  CommandId id = 0;
  Command command;
  bool operator==(const Ordered&) const = default;
};
/// One line for log and status: "kick from blue-1: 3 clients".
[[nodiscard]] std::string print(const Command& command);
/// Whether performing it changes anything (and so has to be journaled first).
[[nodiscard]] bool changes(const Command& command);

// ---- events -------------------------------------------------------------------------------------

struct Done {};
/// Any command may fail.
struct Failed {
  Error error;
};
struct Booted {
  std::vector<NodeId> nodes;  ///< those that did not run already
};
struct IdentitiesRead {
  std::vector<manifests::NodeIdentity> nodes;
};
/// What became of one node's peers; with `error` it may be part of what was wanted.
struct Fed {
  std::optional<Error> error;
  std::vector<PublicKey> added, changed, removed;
};
struct NodesFed {
  std::map<NodeId, Fed> nodes;
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
/// The same dump, said by what differs from the one of this node before: for journals.
struct PeersChanged {
  std::int64_t clock_unix_ns = 0;
  std::vector<manifests::PeerState> put;  ///< new or different, by public key
  std::vector<PublicKey> removed;
};
struct Tick {};         ///< time passes
struct Interrupted {};  ///< a person wants an orderly end
using What = std::variant<Done, Failed, Booted, IdentitiesRead, NodesFed, ClocksRead, DirectorRead,
                          HaltedRead, PeersRead, PeersChanged, Tick, Interrupted>;
struct Event {
  CommandId echo = 0;  ///< 0: nobody's answer
  What what;
};

}  // namespace weir::deployer
