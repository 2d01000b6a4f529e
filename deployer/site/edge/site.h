#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deployer/site/edge/documents.h"
#include "deployer/site/edge/reach.h"
#include "keys/trust/verified.h"
#include "manifests/base/edge/file.h"

namespace weir::deployer {

/// A line of progress for the person who waits.
using Progress = std::function<void(const std::string&)>;

/// A fleet opened for work: its documents, its memory, its director. One a process.
class Site {
 public:
  /// `fleet_path` is fleet.yaml; other paths are relative to its folder.
  /// errors: busy: another process has it; unauthorized: others may write to the state folder; and
  /// those of every document, naming the file
  static Result<std::unique_ptr<Site>> open(const std::string& fleet_path, Access access,
                                            Progress progress);
  /// With a world of the caller's, under no lock.
  static std::unique_ptr<Site> compose(Documents documents, Reach reach, Progress progress);

  [[nodiscard]] const Documents& documents() const { return documents_; }
  [[nodiscard]] const manifests::Fleet& fleet() const { return documents_.fleet; }
  /// Of the nodes at the director.
  [[nodiscard]] const std::vector<manifests::Attachment>& attachments() const {
    return documents_.attachments;
  }
  [[nodiscard]] const manifests::Attachment& attachment(const NodeId& node) const {
    return documents_.attachment(documents_.director().name, node);
  }
  [[nodiscard]] const manifests::PoolSpec& pool(const PoolName& name) const {
    return documents_.pool(name);
  }
  [[nodiscard]] const PoolName* pool_of(const NodeId& node) const {
    return documents_.pool_of(node);
  }
  [[nodiscard]] const std::map<PublicKey, manifests::Peer>& peers() const {
    return documents_.peers;
  }
  [[nodiscard]] std::string path(const std::string& relative) const {
    return documents_.path(relative);
  }
  [[nodiscard]] std::string state_path(const std::string& name) const {
    return documents_.state_path(name);
  }
  [[nodiscard]] StateStore& store() { return *reach_.store; }
  [[nodiscard]] director::Director& director() { return *reach_.director; }
  [[nodiscard]] const node_client::TlsKey& client_key() const { return reach_.client_key; }
  void say(const std::string& line) const { progress_(line); }

  [[nodiscard]] pool::MachineDriver& machines() { return *reach_.machines; }
  /// Whether a node's machine runs. Looks at the process only; never waits for the node.
  Result<pool::MachineState> machine_state(const NodeId& node);
  /// A fresh connection, opened with the pin of the machine that runs. errors: not_found: none runs
  Result<std::unique_ptr<node_client::NodeClient>> connect(const NodeId& node,
                                                           std::chrono::milliseconds timeout);
  Result<pool::BootImage> boot_image(const manifests::Release& release) {
    return reach_.boot_image(release);
  }
  /// The fleet's. errors: unauthorized: it cannot be opened
  Result<keys::WireGuardIdentity> identity() { return reach_.identity(); }
  /// Whether it will be opened, as far as that can be told without asking for a passphrase.
  /// errors: as keys::check_identity
  Status check_identity() { return reach_.check_identity(); }
  /// Whether nodes can serve what its sealed file says. errors: as keys::check_served, and of files
  Status check_served();
  /// What its sealed file says. errors: of files; invalid_input
  Result<keys::IdentityKeys> identity_keys() { return reach_.identity_keys(); }
  Result<probe::ProbeResult> probe(const probe::ProbeTarget& target, const keys::Secret& key,
                                   const std::optional<keys::Secret>& preshared_key) {
    return reach_.probe(target, key, preshared_key);
  }
  /// A peer's preshared key, 32 bytes; absent where it has none. errors name the file
  Result<std::optional<keys::Secret>> preshared_key(const manifests::Peer& peer) const;
  /// What the fleet has for a node by this name; absent: nothing. errors name field and file
  Result<std::optional<keys::Secret>> node_file(const NodeId& node, const std::string& name) const;
  /// Whether all that it has for nodes of the pool can be read, and only by who may.
  Status check_node_files(const PoolName& pool) const;
  /// The services of a release's image. errors: as Reach::services
  Result<std::vector<manifests::ServiceSettings>> services_of(const ReleaseName& release,
                                                              const Digest& digest) {
    return reach_.services(release, digest);
  }

  /// Remembers that this release was accepted, so that no older one is from now on. Comes after all
  /// of its blobs were read: one that is withheld would else keep the fleet from what it can still
  /// boot. What the store and the trust say by then is judged again.
  /// errors  as read_verified_release, busy where interrupted; integrity: another has its name now
  Status remember(const keys::Verified<manifests::Release>& release);

  /// Calls of connections made from now on end early once `flag`, which outlives the site, is set:
  /// for who only looks.
  void end_calls_when(const std::atomic<bool>& flag) { calls_end_ = &flag; }
  /// Long waits end early once `flag`, which outlives the site, is set.
  void end_when(const std::atomic<bool>& flag) { ending_ = &flag; }
  [[nodiscard]] bool cancelled() const { return ending_ != nullptr && *ending_; }

 private:
  Site(Documents documents, Reach reach, Fd lock, Progress progress);

  Documents documents_;
  Reach reach_;
  Fd lock_;
  Progress progress_;
  const std::atomic<bool>* ending_ = nullptr;
  const std::atomic<bool>* calls_end_ = nullptr;
};

/// Runs `work` for every node at the same time, each on a thread of its own.
/// returns the first error in the order of `nodes`
Status for_each_node(const std::vector<NodeId>& nodes,
                     const std::function<Status(const NodeId&)>& work);

}  // namespace weir::deployer
