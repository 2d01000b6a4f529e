#include "builder/lock/reviewed_scripts.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace weir::builder {

std::vector<manifests::AcceptedScript> scripts_of_packages(
    const std::vector<manifests::AcceptedScript>& scripts,
    const std::vector<manifests::LockedPackage>& packages) {
  std::vector<manifests::AcceptedScript> out;
  std::copy_if(scripts.begin(), scripts.end(), std::back_inserter(out), [&](const auto& entry) {
    return std::any_of(packages.begin(), packages.end(), [&](const auto& package) {
      return manifests::matches(entry.package, package.name);
    });
  });
  return out;
}

std::vector<manifests::AcceptedScript> without_accounts(
    std::vector<manifests::AcceptedScript> scripts) {
  for (auto& entry : scripts) {
    entry.users.clear();
    entry.groups.clear();
    entry.folders.clear();
  }
  return scripts;
}

std::vector<manifests::AcceptedSecret> secrets_of_lists(
    const std::vector<manifests::ReviewedList>& lists) {
  std::map<std::string, manifests::AcceptedSecret> by_path;
  for (const auto& list : lists) {
    for (const auto& entry : list.accept_secrets) {
      auto [at, fresh] = by_path.try_emplace(entry.path, entry);
      if (fresh) continue;
      at->second.digests.insert(at->second.digests.end(), entry.digests.begin(),
                                entry.digests.end());
    }
  }
  std::vector<manifests::AcceptedSecret> out;
  out.reserve(by_path.size());
  for (auto& [_, entry] : by_path) out.push_back(std::move(entry));
  return out;
}

}  // namespace weir::builder
