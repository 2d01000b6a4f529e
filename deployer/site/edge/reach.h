#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "deployer/director/director.h"
#include "deployer/network/edge/network_namespace.h"
#include "deployer/node_client/node_client.h"
#include "deployer/pool/edge/boot_image.h"
#include "deployer/pool/machines.h"
#include "deployer/probe/edge/probe.h"
#include "deployer/site/edge/documents.h"
#include "deployer/state/state_store.h"
#include "keys/identity/wireguard_identity.h"
#include "manifests/documents/release.h"
#include "manifests/messages/service_settings.h"

namespace weir::deployer {

enum class Access : std::uint8_t {
  read,   ///< changes nothing and makes nothing: no folder, no database, no key
  serve,  ///< as `write`, for one who holds the lock already
  write,  ///< takes the fleet's lock
};

/// How a site reaches the world. `open_reach` makes the real one, tests bring their own.
struct Reach {
  std::unique_ptr<StateStore> store;
  std::unique_ptr<director::Director> director;
  node_client::TlsKey client_key;  ///< its pin alone: nodes let in whoever has the key
  std::unique_ptr<network::NetworkNamespace> where;  ///< of the machines' links
  std::unique_ptr<pool::MachineDriver> machines;
  /// A fresh connection to a node whose machine is recorded.
  std::function<Result<std::unique_ptr<node_client::NodeClient>>(
      const manifests::Attachment&, const StoredMachine&, std::chrono::milliseconds)>
      connect;
  /// What machines of a release boot: every blob read from the store, and verified.
  std::function<Result<pool::BootImage>(const manifests::Release&)> boot_image;
  /// The services that a release's image has, which is known by its document's digest.
  /// errors: of the store; integrity: it has another release of this name
  std::function<Result<std::vector<manifests::ServiceSettings>>(const ReleaseName&, const Digest&)>
      services;
  /// The fleet's, opened, where it is one that nodes can serve.
  std::function<Result<keys::WireGuardIdentity>()> identity;
  std::function<Status()> check_identity;  ///< whether it will be opened, but for a passphrase
  std::function<Result<keys::IdentityKeys>()> identity_keys;  ///< what it says, sealed
  /// One handshake and some data through a node (probe::run_probe).
  std::function<Result<probe::ProbeResult>(const probe::ProbeTarget&, const keys::Secret&,
                                           const std::optional<keys::Secret>&)>
      probe;
};

/// The state file, nftables, QEMU and HTTPS. errors: unauthorized: others may use the state folder
/// or its key; io
[[nodiscard]] Result<Reach> open_reach(const Documents& documents, Access access);

/// Whoever can write there can order machines and be let in by nodes, so the state folder has to be
/// its user's alone. One that is not there yet is fine.
/// errors: unauthorized, saying what to do; invalid_input: not a folder
[[nodiscard]] Status check_state_folder(const std::string& path);

}  // namespace weir::deployer
