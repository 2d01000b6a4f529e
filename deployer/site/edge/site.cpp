#include "deployer/site/edge/site.h"

#include <string.h>

#include <algorithm>
#include <optional>
#include <set>
#include <thread>

#include "deployer/site/edge/running_order.h"
#include "keys/identity/edge/identity_files.h"
#include "manifests/base/edge/file.h"
#include "manifests/messages/service_report.h"

namespace weir::deployer {

namespace {

/// The fleet's lock. One that is held is told by what its holder does.
Result<Fd> lock_fleet(const std::string& state) {
  auto lock = lock_file(state + "/lock");
  if (lock || lock.error().code != Errc::busy) return lock;
  if (const auto order = running_order(state)) return tl::unexpected(in_the_way(*order));
  return fail(Errc::busy, lock.error().message +
                              ", which serves this fleet, or is about to begin or to end an order: "
                              "give yours again, or end that process first");
}

}  // namespace

Result<std::unique_ptr<Site>> Site::open(const std::string& fleet_path, Access access,
                                         Progress progress) {
  TRY_ASSIGN(auto documents, read_documents(fleet_path));
  const std::string state = documents.path(documents.fleet.state);
  Fd lock;
  if (access != Access::read) {
    TRY(make_folders(state, 0700));
    TRY(check_state_folder(state));
  }
  if (access == Access::write) {
    TRY_ASSIGN(lock, lock_fleet(state));
  }
  TRY_ASSIGN(auto reach, open_reach(documents, access));
  return std::unique_ptr<Site>(
      new Site(std::move(documents), std::move(reach), std::move(lock), std::move(progress)));
}

std::unique_ptr<Site> Site::compose(Documents documents, Reach reach, Progress progress) {
  return std::unique_ptr<Site>(
      new Site(std::move(documents), std::move(reach), Fd(), std::move(progress)));
}

Site::Site(Documents documents, Reach reach, Fd lock, Progress progress)
    : documents_(std::move(documents)),
      reach_(std::move(reach)),
      lock_(std::move(lock)),
      progress_(std::move(progress)) {}

Result<pool::MachineState> Site::machine_state(const NodeId& node) {
  TRY_ASSIGN(const auto stored, store().machines());
  const auto found = stored.find(node);
  if (found == stored.end()) return pool::MachineState::gone;
  return machines().state(found->second.record);
}

Result<std::unique_ptr<node_client::NodeClient>> Site::connect(const NodeId& node,
                                                               std::chrono::milliseconds timeout) {
  TRY_ASSIGN(const auto stored, store().machines());
  const auto found = stored.find(node);
  if (found == stored.end())
    return fail(Errc::not_found, "node " + node.string() + " does not run");
  TRY_ASSIGN(auto client, reach_.connect(attachment(node), found->second, timeout));
  if (calls_end_ != nullptr) client->end_when(*calls_end_);
  return client;
}

Status Site::check_served() {
  TRY_ASSIGN_IN(const auto keys, identity_keys(), "identity");
  TRY_IN(keys::check_served(keys), "identity: " + path(fleet().identity));
  return {};
}

Result<std::optional<keys::Secret>> Site::preshared_key(const manifests::Peer& peer) const {
  if (!peer.preshared_key_file) return std::optional<keys::Secret>();
  const std::string file = beside(path(fleet().peers), *peer.preshared_key_file);
  TRY_ASSIGN(keys::Secret secret, keys::read_wireguard_key(file));
  return std::optional<keys::Secret>(std::move(secret));
}

Result<std::optional<keys::Secret>> Site::node_file(const NodeId& node,
                                                    const std::string& name) const {
  std::optional<keys::Secret> none;
  const PoolName* pool_name = pool_of(node);
  if (pool_name == nullptr) return none;
  const auto& files = pool(*pool_name).files;
  const auto found = files.find(name);
  if (found == files.end()) return none;
  const std::string where = "fleet document: pools: " + pool_name->string() + ": files: " + name;
  const std::string file = path(manifests::node_file_path(found->second, node));
  TRY_ASSIGN_IN(std::string text, read_secret_file(file, manifests::kLargestNodeFile), where);
  auto content = keys::Secret::copy_of(as_bytes(text));
  explicit_bzero(text.data(), text.size());
  TRY(content);
  return std::optional(*std::move(content));
}

Status Site::check_node_files(const PoolName& name) const {
  for (const NodeId& node : pool(name).nodes) {
    for (const auto& [file, _] : pool(name).files) TRY(node_file(node, file));
  }
  return {};
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

}  // namespace weir::deployer
