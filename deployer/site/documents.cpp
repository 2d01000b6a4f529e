#include "deployer/site/documents.h"

#include <algorithm>

#include "manifests/base/paths.h"

namespace weir::deployer {

std::string beside(const std::string& document, const std::string& path) {
  return path_at(folder_of(document), path);
}

std::string Documents::path(const std::string& relative) const {
  return path_at(folder, relative);
}

std::string Documents::state_path(const std::string& name) const {
  return path(fleet.state) + "/" + name;
}

const manifests::Attachment& Documents::attachment(const DirectorId& director,
                                                   const NodeId& node) const {
  return *std::find_if(attachments.begin(), attachments.end(),
                       [&](const auto& it) { return it.director == director && it.node == node; });
}

const manifests::PoolSpec& Documents::pool(const PoolName& name) const {
  return *std::find_if(fleet.pools.begin(), fleet.pools.end(),
                       [&](const auto& it) { return it.name == name; });
}

const PoolName& Documents::next_pool(const PoolName& name) const {
  for (std::size_t i = 0; i + 1 < fleet.pools.size(); ++i) {
    if (fleet.pools[i].name == name) return fleet.pools[i + 1].name;
  }
  return fleet.pools.front().name;
}

Status Documents::check_pool(const PoolName& name) const {
  std::string there;
  for (const manifests::PoolSpec& pool : fleet.pools) {
    if (pool.name == name) return {};
    there += (there.empty() ? "" : ", ") + pool.name.string();
  }
  return fail(Errc::not_found, "fleet " + fleet.name.string() + " has no pool '" + name.string() +
                                   "' (there are " + there + ")");
}

const PoolName* Documents::pool_of(const NodeId& node) const {
  for (const manifests::Attachment& it : attachments) {
    if (it.node == node) return &it.pool;
  }
  return nullptr;
}

std::string Documents::shown(const PublicKey& key) const {
  const auto found = peers.find(key);
  return found == peers.end() || found->second.name.empty() ? key.string() : found->second.name;
}

}  // namespace weir::deployer
