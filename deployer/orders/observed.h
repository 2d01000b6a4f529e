#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deployer/director/director.h"
#include "deployer/pool/machines.h"
#include "deployer/rollout/terms/whereabouts.h"
#include "deployer/site/documents.h"
#include "deployer/state/state_store.h"
#include "deployer/steering/steering.h"
#include "manifests/base/result.h"
#include "manifests/messages/node_api.h"
#include "manifests/messages/service_report.h"

namespace weir::deployer {

/// What one look at a node showed.
struct NodeSeen {
  pool::MachineState machine = pool::MachineState::gone;
  std::optional<manifests::NodeIdentity> identity;  ///< absent: no answer
  std::optional<manifests::PeerDump> dump;          ///< absent: no answer, or no private key yet
  std::vector<manifests::ServiceReport> services{};
  std::string trouble;  ///< why there is no answer; empty where none was expected
};

/// A fleet at one moment: what the data plane shows, and what the state adds. All that planning,
/// status and watching know.
struct Observed {
  bool installed = false;  ///< the director steers for this fleet
  bool foreign = false;    ///< it steers, and not for this one; `director_trouble` says so
  std::optional<director::Observed> director{};  ///< absent: not installed, or not readable
  std::string director_trouble{};
  std::string ordering{};  ///< what `print(RunningOrder)` says; empty: no order is carried out
  std::map<NodeId, NodeSeen> nodes{};  ///< every node of the fleet
  std::vector<NodeId> unlisted{};      ///< others whose machine is there
  std::map<PoolName, StoredPool> pools{};
  std::optional<std::string> steered{};   ///< the network namespace that it is up in, "" the host's
  std::optional<PoolName> recorded{};     ///< the active pool, as ordered last
  std::optional<StoredRollout> newest{};  ///< deploy or rollback
  std::vector<StoredRollout> rollouts{};  ///< the newest first, as far back as matters
  std::map<PublicKey, Known> clients{};   ///< where they were seen last
};

/// What a fleet's state says was ordered, as far as it tells whose steering without a mark is.
struct Past {
  std::map<NodeId, StoredMachine> machines{};
  std::map<PoolName, StoredPool> pools{};
  std::optional<PoolName> active{};
  std::vector<StoredRollout> rollouts{};  ///< the newest first
};

/// Whether the steering that stands is this fleet's, by its mark. Without one, as earlier versions
/// made it, it is where the fleet is up or was left halfway.
[[nodiscard]] bool is_own_steering(director::Maker maker, const Past& past);

/// What is wrong where the steering that stands was not made from this fleet's state, and what to
/// do.
[[nodiscard]] std::string foreign_steering(const Documents& documents);

/// Where the fleet that runs has other pools than the document names, or is in another network
/// namespace, and what to do; empty: it has the same. Numbers and addresses of nodes are not looked
/// at: the director refuses other ones.
[[nodiscard]] std::string naming_trouble(const Documents& documents, const Observed& observed);

/// The pool that new clients go to. errors: not_found: nothing is up; integrity: the director's
/// active nodes are not this fleet's, or it cannot be read
[[nodiscard]] Result<PoolName> active_pool(const Documents& documents, const Observed& observed);

/// Null: the newest rollout was brought to an end, or there was none.
[[nodiscard]] const StoredRollout* unfinished_rollout(const Observed& observed);

/// Whether a node of the fleet cannot be asked: its machine is gone or frozen, or it is silent.
[[nodiscard]] bool is_silent(const Observed& observed, const NodeId& node);

/// Where every client with a session is. Whoever is steered to a node that cannot be asked counts
/// as being there: by what other nodes and the state remember of its address.
[[nodiscard]] std::map<PublicKey, Whereabouts> whereabouts(const Observed& observed);

}  // namespace weir::deployer
