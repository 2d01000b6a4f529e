#include "deployer/site/documents.h"

#include <algorithm>

namespace weir::deployer {
namespace {

std::string joined(const std::string& folder, const std::string& path) {
  return !path.empty() && path.front() == '/' ? path : folder + "/" + path;
}

}  // namespace

std::string folder_of(const std::string& document) {
  const auto slash = document.rfind('/');
  return slash == std::string::npos ? std::string(".") : document.substr(0, slash);
}

std::string beside(const std::string& document, const std::string& path) {
  return joined(folder_of(document), path);
}

std::string Documents::path(const std::string& relative) const {
  return joined(folder, relative);
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
