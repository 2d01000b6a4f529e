#include "deployer/orders/edge/site.h"

#include <sodium.h>

#include <algorithm>
#include <optional>
#include <set>
#include <thread>

#include "deployer/orders/edge/demands.h"
#include "deployer/pool/vm/edge/vm_driver.h"
#include "images/store/edge/signatures.h"
#include "images/store/edge/store.h"
#include "keys/identity/edge/registry.h"
#include "keys/signing/edge/key_files.h"
#include "keys/trust/edge/trust_files.h"
#include "manifests/base/edge/file.h"

namespace weir::deployer {
namespace {

constexpr ByteCount kDocumentLimit{1ULL << 20};

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string(".") : path.substr(0, slash);
}

std::string joined(const std::string& folder, const std::string& path) {
  return !path.empty() && path.front() == '/' ? path : folder + "/" + path;
}

}  // namespace

std::string Site::path(const std::string& relative) const {
  return joined(folder_, relative);
}

std::string Site::state_path(const std::string& name) const {
  return path(fleet_->state) + "/" + name;
}

Result<std::unique_ptr<Site>> Site::open(const std::string& fleet_path, Access access,
                                         Progress progress) {
  std::unique_ptr<Site> site(new Site());
  site->progress_ = std::move(progress);
  TRY(site->load(fleet_path));
  TRY(site->open_state(access));
  return site;
}

Status Site::load(const std::string& fleet_path) {
  folder_ = folder_of(fleet_path);
  TRY_ASSIGN(const std::string yaml, read_file(fleet_path, kDocumentLimit));
  TRY_ASSIGN(fleet_, manifests::parse_fleet(yaml, fleet_path));
  TRY_ASSIGN_IN(links_, manifests::links_of(*fleet_), fleet_path);
  TRY_ASSIGN(auto peers, keys::read_registry(*fleet_, folder_));
  for (manifests::Peer& peer : peers) {
    peers_.insert_or_assign(peer.public_key, std::move(peer));
  }
  return {};
}

Status Site::open_state(Access access) {
  TRY(make_folders(path(fleet_->state), 0700));
  if (access == Access::write) {
    TRY_ASSIGN(lock_, lock_file(state_path("lock")));
  }
  TRY_ASSIGN(store_, StateStore::open(state_path("fleet.db")));
  TRY_ASSIGN(where_, network::NetworkNamespace::open(fleet_->director.network_namespace));
  TRY_ASSIGN(auto for_director,
             network::NetworkNamespace::open(fleet_->director.network_namespace));
  TRY_ASSIGN_IN(director_, director::Director::open(topology(), std::move(for_director)),
                "director");
  return load_client_key();
}

/// The deployer's own TLS key: nodes let in whoever holds it, so it never leaves the state folder.
Status Site::load_client_key() {
  const std::string file = state_path("deployer-tls.pem");
  auto pem = read_secret_file(file, kDocumentLimit);
  if (pem) {
    TRY_ASSIGN_IN(const Digest pin, node_client::pin_of(*pem), file);
    client_key_.emplace(node_client::TlsKey{std::move(*pem), pin});
    return {};
  }
  if (pem.error().code != Errc::not_found) return tl::unexpected(std::move(pem).error());
  TRY_ASSIGN(auto key, node_client::make_tls_key());
  TRY(write_file(file, key.private_key_pem, 0600));
  client_key_.emplace(std::move(key));
  return {};
}

const manifests::NodeLink& Site::link(const NodeId& node) const {
  return *std::find_if(links_.begin(), links_.end(),
                       [&](const auto& it) { return it.node == node; });
}

const manifests::PoolSpec& Site::pool(const PoolName& name) const {
  return *std::find_if(fleet_->pools.begin(), fleet_->pools.end(),
                       [&](const auto& it) { return it.name == name; });
}

const PoolName& Site::other_pool(const PoolName& name) const {
  return fleet_->pools[fleet_->pools[0].name == name ? 1 : 0].name;
}

const PoolName* Site::pool_of(const NodeId& node) const {
  for (const manifests::NodeLink& it : links_) {
    if (it.node == node) return &it.pool;
  }
  return nullptr;
}

director::Topology Site::topology() const {
  director::Topology out;
  out.vip = fleet_->vip;
  out.nodes = links_;
  out.clients = fleet_->clients;
  out.upstream_interface = fleet_->director.upstream_interface;
  out.fenced = {fleet_->fabric.ipv4, fleet_->fabric.ipv6, fleet_->fabric.management};
  if (fleet_->vip.ipv4) out.fenced.push_back({*fleet_->vip.ipv4, 32});
  if (fleet_->vip.ipv6) out.fenced.push_back({*fleet_->vip.ipv6, 128});
  out.expected_peers = static_cast<std::uint32_t>(std::max<std::size_t>(peers_.size(), 256));
  return out;
}

Result<pool::MachineDriver*> Site::machines() {
  const std::lock_guard lock(machines_lock_);
  if (!machines_) machines_ = pool::make_vm_driver(*where_);
  return machines_.get();
}

Result<pool::MachineState> Site::machine_state(const NodeId& node) {
  TRY_ASSIGN(const auto stored, store_->machines());
  const auto found = stored.find(node);
  if (found == stored.end()) return pool::MachineState::gone;
  TRY_ASSIGN(auto* driver, machines());
  return driver->state(found->second.record);
}

Result<node_client::NodeClient> Site::connect(const NodeId& node,
                                              std::chrono::milliseconds timeout) {
  TRY_ASSIGN(const auto stored, store_->machines());
  const auto found = stored.find(node);
  if (found == stored.end())
    return fail(Errc::not_found, "node " + node.string() + " does not run");
  TRY_ASSIGN(auto space, network::NetworkNamespace::open(fleet_->director.network_namespace));
  return node_client::NodeClient::open(
      {node, link(node).node_management, found->second.server_pin, state_path("deployer-tls.pem")},
      std::move(space), timeout);
}

Result<std::optional<keys::Secret>> Site::preshared_key(const manifests::Peer& peer) const {
  if (!peer.preshared_key_file) return std::optional<keys::Secret>();
  const std::string file = joined(folder_of(path(fleet_->peers)), *peer.preshared_key_file);
  TRY_ASSIGN(std::string text, read_secret_file(file, ByteCount{4096}));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  auto raw = parse_base64(text);
  sodium_memzero(text.data(), text.size());
  if (!raw || raw->size() != 32) {
    return fail(Errc::invalid_input, file + ": not a preshared key (44 characters of base64)");
  }
  auto secret = keys::Secret::copy_of(as_bytes(*raw));
  sodium_memzero(raw->data(), raw->size());
  if (!secret) return tl::unexpected(std::move(secret).error());
  return std::optional<keys::Secret>(std::move(*secret));
}

Status for_each_node(const std::vector<NodeId>& nodes,
                     const std::function<Status(const NodeId&)>& work) {
  std::vector<Status> results(nodes.size());
  std::vector<std::thread> threads;
  threads.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    threads.emplace_back([&, i] { results[i] = work(nodes[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  for (Status& result : results) {
    if (!result) return result;
  }
  return {};
}

Result<std::string> control_path(const std::string& fleet_path) {
  TRY_ASSIGN(const std::string yaml, read_file(fleet_path, kDocumentLimit));
  TRY_ASSIGN(const auto fleet, manifests::parse_fleet(yaml, fleet_path));
  return joined(folder_of(fleet_path), fleet.state) + "/control.sock";
}

namespace {

/// A folder of the store is not signed; the name in the document is.
Status check_place(const images::StoredRelease& stored, const manifests::Release& release) {
  if (release.name == stored.name) return {};
  return fail(Errc::integrity, "the signed document is about release " + release.name.string());
}

/// By the fleet's trust file. What was seen goes into the state folder, except for a plan, which
/// has no right to write there.
Result<keys::Verified<manifests::Release>> verified_by_trust(Site& site, const images::Store& store,
                                                             const images::StoredRelease& stored,
                                                             Seeing seeing) {
  TRY_ASSIGN(const UtcTime now, keys::read_clock());
  TRY_ASSIGN(const auto signatures, images::read_signatures(store, stored));
  TRY_ASSIGN(const auto running, running_releases(site));
  std::optional<keys::Verified<manifests::Release>> release;
  const auto judge = [&](manifests::TrustState seen) -> Result<manifests::TrustState> {
    TRY_ASSIGN(const auto trust, keys::read_trust(site.path(*site.fleet().trust), seen, now));
    TRY_ASSIGN(release, keys::verify_release(stored.json, signatures, trust,
                                             {site.fleet().channel, seen, now, running}));
    TRY(check_place(stored, **release));
    TRY(check_demands(site, store, *release, &*trust));
    return keys::remember(std::move(seen), trust, *release);
  };
  const std::string state_file = site.state_path("trust.state");
  if (seeing == Seeing::remembered) {
    TRY(keys::update_trust_state(state_file, judge));
  } else {
    TRY_ASSIGN(auto seen, keys::read_trust_state(state_file));
    TRY(judge(std::move(seen)));
  }
  return std::move(*release);
}

Result<keys::Verified<manifests::Release>> verified(Site& site, const images::Store& store,
                                                    const images::StoredRelease& stored,
                                                    Seeing seeing) {
  if (site.fleet().trust) return verified_by_trust(site, store, stored, seeing);
  std::vector<keys::SigningPublicKey> trusted;
  for (const std::string& file : site.fleet().trusted_keys) {
    TRY_ASSIGN(auto key, keys::read_public_key(site.path(file)));
    trusted.push_back(key);
  }
  TRY_ASSIGN(const UtcTime now, keys::read_clock());
  TRY_ASSIGN(const auto running, running_releases(site));
  TRY_ASSIGN(auto release,
             keys::verify_release(stored.json, stored.signature, trusted, now, running));
  TRY(check_place(stored, *release));
  TRY(check_demands(site, store, release, nullptr));
  return release;
}

}  // namespace

Result<keys::Verified<manifests::Release>> read_verified_release(Site& site,
                                                                 const ReleaseName& name,
                                                                 Seeing seeing) {
  const std::string store_path = site.path(site.fleet().store);
  TRY_ASSIGN_IN(const auto store, images::Store::open(store_path), "store");
  TRY_ASSIGN_IN(const auto stored, store.read_release(name), "store " + store_path);
  TRY_ASSIGN_IN(auto release, verified(site, store, stored, seeing),
                "release " + name.string() + " in " + store_path);
  return release;
}

}  // namespace weir::deployer
