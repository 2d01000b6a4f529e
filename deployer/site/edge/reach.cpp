#include "deployer/site/edge/reach.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "deployer/director/nft/edge/nft_director.h"
#include "deployer/node_client/edge/https_node_client.h"
#include "deployer/node_client/edge/make_tls_key.h"
#include "deployer/pool/vm/edge/vm_driver.h"
#include "deployer/site/lost_director.h"
#include "deployer/state/memory/edge/memory_store.h"
#include "deployer/state/sqlite/edge/sqlite_store.h"
#include "images/store/folder/edge/folder_store.h"
#include "images/store/release_services.h"
#include "keys/identity/edge/identity_check.h"
#include "keys/identity/edge/identity_files.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/printable.h"

namespace weir::deployer {
namespace {

constexpr ByteCount kKeyLimit{16U << 10};
constexpr std::chrono::milliseconds kProbePatience{6000};

director::Topology topology_of(const Documents& documents) {
  const manifests::Fleet& fleet = documents.fleet;
  director::Topology out;
  out.vip = fleet.vip;
  for (const manifests::Attachment& it : documents.attachments) {
    if (it.director == documents.director().name) out.nodes.push_back(it);
  }
  out.clients = fleet.clients;
  out.upstream_interface = documents.director().upstream_interface;
  for (const manifests::DirectorSpec& director : fleet.directors) {
    for (const Prefix& block :
         {director.fabric.ipv4, director.fabric.ipv6, director.fabric.management}) {
      out.fenced.push_back(block);
    }
  }
  if (fleet.vip.ipv4) out.fenced.push_back({*fleet.vip.ipv4, 32});
  if (fleet.vip.ipv6) out.fenced.push_back({*fleet.vip.ipv6, 128});
  out.expected_peers =
      static_cast<std::uint32_t>(std::max<std::size_t>(documents.peers.size(), 256));
  return out;
}

/// The deployer's own TLS key, or what is told of it: nodes let in whoever holds it, so it never
/// leaves the state folder, and each connection reads it there.
Result<node_client::TlsKey> client_key_of(const std::string& file, Access access) {
  const auto there = node_client::read_tls_key_file(file);
  if (there) {
    TRY_ASSIGN_IN(const Digest pin, node_client::pin_of(*there), file);
    return node_client::TlsKey{{}, pin};
  }
  if (there.error().code != Errc::not_found) return tl::unexpected(there.error());
  if (access == Access::read) return node_client::TlsKey{{}, Digest::of({})};
  TRY_ASSIGN(auto key, node_client::make_tls_key());
  const Status written = write_file(file, key.private_key_pem, 0600);
  ::explicit_bzero(key.private_key_pem.data(), key.private_key_pem.size());
  TRY(written);
  return node_client::TlsKey{{}, key.pin};
}

Result<std::unique_ptr<StateStore>> store_of(const std::string& file, Access access) {
  if (access != Access::read) {
    TRY_ASSIGN(auto store, SqliteStore::open(file));
    return std::make_unique<SqliteStore>(std::move(store));
  }
  auto store = SqliteStore::open(file, SqliteStore::Access::read);
  if (store) return std::make_unique<SqliteStore>(std::move(*store));
  if (store.error().code != Errc::not_found) return tl::unexpected(std::move(store).error());
  return std::make_unique<MemoryStore>();  // a fleet that was never up remembers nothing
}

/// Also a node that boots long after the fleet was checked is given no key that others lack.
Result<keys::WireGuardIdentity> read_served(const std::string& path,
                                            const std::optional<std::string>& key_file) {
  TRY_ASSIGN(auto identity, keys::read_identity(path, key_file));
  TRY_IN(keys::check_served(keys::keys_of(identity)), path);
  return identity;
}

Result<std::vector<manifests::ServiceSettings>> services_of(const std::string& path,
                                                            const ReleaseName& name,
                                                            const Digest& digest) {
  TRY_ASSIGN(const auto store, images::FolderStore::open(path));
  TRY_ASSIGN(const auto stored, store.read_release(name));
  const std::string where = "release " + name.string();
  if (Digest::of(as_bytes(stored.json)) != digest) {
    return fail(Errc::integrity, where + " is another one by now than the one that was booted");
  }
  TRY_ASSIGN_IN(const auto release, manifests::parse_release(stored.json), where);
  TRY_ASSIGN_IN(auto services, images::read_services(store, release), where);
  return services;
}

/// Where the fleet is up, whatever the document names by now; the document's where it is not, or
/// where the namespace is gone and all that was in it.
Result<std::optional<std::string>> space_of(const Documents& documents, StateStore& store) {
  const auto& named = documents.director().network_namespace;
  TRY_ASSIGN(const auto steered, store.steered_namespace());
  if (!steered || *steered == named.value_or("")) return named;
  if (steered->empty()) return std::optional<std::string>();
  const auto there = network::NetworkNamespace::open(*steered);
  if (there) return steered;
  if (there.error().code == Errc::not_found) return named;
  return tl::unexpected(there.error());
}

Error lost_space(const std::string& name) {
  return {Errc::not_found, ENOENT,
          "network namespace " + name +
              " is gone, and with it the steering and the nodes' links: `weir-deployer down` ends "
              "the machines that still run; then make it again (`ip netns add " +
              shell_word(name) + "`, and its interfaces), and `weir-deployer up`"};
}

}  // namespace

/// Whoever can write there can order machines and be let in by nodes. One that is not there yet is
/// fine.
Status check_state_folder(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno(Errc::io, errno, path);
  }
  if (!S_ISDIR(info.st_mode)) return fail(Errc::invalid_input, path + ": is not a folder");
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return fail(Errc::unauthorized, path + ": the state folder belongs to user " +
                                        std::to_string(info.st_uid) +
                                        "; it has to be yours (chown) or another one");
  }
  if ((info.st_mode & 0077) != 0) {
    return fail(Errc::unauthorized, path + ": others may use the state folder; say `chmod 700 " +
                                        shell_word(path) + "`");
  }
  return {};
}

Result<Reach> open_reach(const Documents& documents, Access access) {
  TRY(check_state_folder(documents.path(documents.fleet.state)));
  Reach out{.store = nullptr,
            .director = nullptr,
            .client_key = {{}, Digest::of({})},
            .where = nullptr,
            .machines = nullptr,
            .connect = {},
            .boot_image = {},
            .services = {},
            .identity = {},
            .check_identity = {},
            .identity_keys = {},
            .probe = {}};
  TRY_ASSIGN(out.store, store_of(documents.state_path("fleet.db"), access));
  const std::string key_file = documents.state_path("deployer-tls.pem");
  TRY_ASSIGN(out.client_key, client_key_of(key_file, access));
  TRY_ASSIGN(const auto space, space_of(documents, *out.store));
  auto where = network::NetworkNamespace::open(space);
  const bool lost = !where && where.error().code == Errc::not_found;
  TRY_ASSIGN(const auto machines, out.store->machines());
  if (lost && !machines.empty()) {
    // Machines outlive it, and somebody has to end them. No link is made for one where none leads
    // anywhere.
    out.director = make_lost_director(lost_space(space.value_or("")));
    TRY_ASSIGN(where, network::NetworkNamespace::make());
  } else {
    TRY(where);
    TRY_ASSIGN_IN(
        auto director,
        director::NftDirector::open(topology_of(documents), *std::move(where), out.client_key.pin),
        "director");
    out.director = std::make_unique<director::NftDirector>(std::move(director));
    where = network::NetworkNamespace::open(space);
    TRY(where);
  }
  out.where = std::make_unique<network::NetworkNamespace>(*std::move(where));
  out.machines = pool::make_vm_driver(*out.where);
  out.connect =
      [space, key_file](
          const manifests::Attachment& link, const StoredMachine& machine,
          std::chrono::milliseconds timeout) -> Result<std::unique_ptr<node_client::NodeClient>> {
    TRY_ASSIGN(auto inside, network::NetworkNamespace::open(space));
    TRY_ASSIGN(auto client, node_client::HttpsNodeClient::open(
                                {link.node, link.node_management, machine.server_pin, key_file},
                                std::move(inside), timeout));
    return std::make_unique<node_client::HttpsNodeClient>(std::move(client));
  };
  out.boot_image = [path = documents.path(documents.fleet.store)](
                       const manifests::Release& release) -> Result<pool::BootImage> {
    TRY_ASSIGN_IN(const auto store, images::FolderStore::open(path), "store");
    TRY_ASSIGN_IN(auto image, pool::make_boot_image(release, store), "store " + path);
    return image;
  };
  out.services = [path = documents.path(documents.fleet.store)](
                     const ReleaseName& name,
                     const Digest& digest) -> Result<std::vector<manifests::ServiceSettings>> {
    auto services = services_of(path, name, digest);
    if (!services) return tl::unexpected(std::move(services).error().in("store " + path));
    return services;
  };
  std::optional<std::string> opener;
  if (documents.fleet.identity_key_file) {
    opener = documents.path(*documents.fleet.identity_key_file);
  }
  out.identity = [path = documents.path(documents.fleet.identity), opener] {
    return read_served(path, opener);
  };
  out.check_identity = [fleet = documents.fleet, folder = documents.folder] {
    return keys::check_identity(fleet, folder);
  };
  out.identity_keys =
      [path = documents.path(documents.fleet.identity)]() -> Result<keys::IdentityKeys> {
    TRY_ASSIGN(const std::string sealed, read_file(path, kKeyLimit));
    TRY_ASSIGN_IN(auto keys, keys::sealed_public_keys(sealed), path);
    return keys;
  };
  out.probe = [space](
                  const probe::ProbeTarget& target, const keys::Secret& private_key,
                  const std::optional<keys::Secret>& preshared_key) -> Result<probe::ProbeResult> {
    TRY_ASSIGN(const auto inside, network::NetworkNamespace::open(space));
    return probe::run_probe(inside, target, private_key, preshared_key, kProbePatience);
  };
  return out;
}

}  // namespace weir::deployer
