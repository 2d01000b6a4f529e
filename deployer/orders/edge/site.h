#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "deployer/director/nft/edge/director.h"
#include "deployer/network/edge/network_namespace.h"
#include "deployer/node_client/edge/node_client.h"
#include "deployer/pool/machines.h"
#include "deployer/state/sqlite/edge/state_store.h"
#include "keys/trust/verified.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/peers.h"

namespace weir::deployer {

/// A line of progress for the person who waits.
using Progress = std::function<void(const std::string&)>;

/// A fleet opened for work: its documents, its memory, its director. One a process.
class Site {
 public:
  enum class Access { read, write };

  /// `fleet_path` is fleet.yaml; other paths are relative to its folder. `write` takes the fleet's
  /// lock. errors: busy: another process has it; and those of every document, naming the file
  static Result<std::unique_ptr<Site>> open(const std::string& fleet_path, Access access,
                                            Progress progress);

  [[nodiscard]] const manifests::Fleet& fleet() const { return *fleet_; }
  [[nodiscard]] const std::vector<manifests::NodeLink>& links() const { return links_; }
  [[nodiscard]] const manifests::NodeLink& link(const NodeId& node) const;
  [[nodiscard]] const manifests::PoolSpec& pool(const PoolName& name) const;
  [[nodiscard]] const PoolName& other_pool(const PoolName& name) const;
  [[nodiscard]] const PoolName* pool_of(const NodeId& node) const;
  [[nodiscard]] const std::map<PublicKey, manifests::Peer>& peers() const { return peers_; }
  [[nodiscard]] std::string path(const std::string& relative) const;  ///< as fleet.yaml means it
  [[nodiscard]] std::string state_path(const std::string& name) const;
  [[nodiscard]] const network::NetworkNamespace& where() const { return *where_; }
  [[nodiscard]] StateStore& store() { return *store_; }
  [[nodiscard]] director::Director& director() { return *director_; }
  [[nodiscard]] director::Topology topology() const;
  [[nodiscard]] const node_client::TlsKey& client_key() const { return *client_key_; }
  void say(const std::string& line) const { progress_(line); }

  Result<pool::MachineDriver*> machines();
  /// Whether a node's machine runs. Looks at the process only; never waits for the node.
  Result<pool::MachineState> machine_state(const NodeId& node);
  /// A fresh connection, opened with the pin of the machine that runs. errors: not_found: none runs
  Result<node_client::NodeClient> connect(const NodeId& node, std::chrono::milliseconds timeout);
  /// A peer's preshared key, 32 bytes; absent where it has none. errors name the file
  Result<std::optional<keys::Secret>> preshared_key(const manifests::Peer& peer) const;

  std::atomic<bool> cancelled{false};  ///< long waits end early

 private:
  Site() = default;
  Status load(const std::string& fleet_path);
  Status open_state(Access access);
  Status load_client_key();

  std::string folder_;
  std::optional<manifests::Fleet> fleet_;
  std::vector<manifests::NodeLink> links_;
  std::map<PublicKey, manifests::Peer> peers_;
  std::optional<network::NetworkNamespace> where_;
  std::optional<StateStore> store_;
  std::optional<director::Director> director_;
  std::optional<node_client::TlsKey> client_key_;
  std::mutex machines_lock_;
  std::unique_ptr<pool::MachineDriver> machines_;
  Fd lock_;
  Progress progress_;
};

/// Runs `work` for every node at the same time, each on a thread of its own.
/// returns the first error in the order of `nodes`
Status for_each_node(const std::vector<NodeId>& nodes,
                     const std::function<Status(const NodeId&)>& work);

/// Where the process that serves a fleet listens. errors: those of the fleet document
Result<std::string> control_path(const std::string& fleet_path);

/// Whether a look at a release leaves a trace in the fleet's trust.state: orders do, plans do not.
enum class Seeing : std::uint8_t { forgotten, remembered };

/// Reads a release and its signatures from the fleet's store and checks them, by its trust file or
/// its trusted keys, and what others must have stated about it. Releases that the fleet's pools run
/// already may be older than the newest seen, and no statement about them is demanded.
/// errors: not_found, unauthorized, invalid_input; naming store and release
Result<keys::Verified<manifests::Release>> read_verified_release(Site& site,
                                                                 const ReleaseName& name,
                                                                 Seeing seeing);

}  // namespace weir::deployer
