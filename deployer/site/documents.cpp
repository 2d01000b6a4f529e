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

const manifests::NodeLink& Documents::link(const NodeId& node) const {
  return *std::find_if(links.begin(), links.end(), [&](const auto& it) { return it.node == node; });
}

const manifests::PoolSpec& Documents::pool(const PoolName& name) const {
  return *std::find_if(fleet.pools.begin(), fleet.pools.end(),
                       [&](const auto& it) { return it.name == name; });
}

const PoolName& Documents::other_pool(const PoolName& name) const {
  return fleet.pools[fleet.pools[0].name == name ? 1 : 0].name;
}

const PoolName* Documents::pool_of(const NodeId& node) const {
  for (const manifests::NodeLink& it : links) {
    if (it.node == node) return &it.pool;
  }
  return nullptr;
}

std::string Documents::shown(const PublicKey& key) const {
  const auto found = peers.find(key);
  return found == peers.end() || found->second.name.empty() ? key.string() : found->second.name;
}

}  // namespace weir::deployer
