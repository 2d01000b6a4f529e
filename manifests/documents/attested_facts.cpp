#include "manifests/documents/attested_facts.h"

#include <algorithm>

#include "manifests/base/printable.h"

namespace weir::manifests {
namespace {

template <class T>
const T* named(const std::vector<T>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const T& it) { return it.name == name; });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

std::vector<FactDifference> differences(const Release& release, const AttestedFacts& facts) {
  std::vector<FactDifference> out;
  const auto compare = [&](const std::string& fact, const std::string& want,
                           const std::string& got) {
    if (want != got) out.push_back({fact, want, got.empty() ? "(none)" : got});
  };
  compare("lock digest", release.lock_digest.string(), facts.lock_digest.string());
  compare("kernel", release.kernel.release, facts.kernel_release);
  compare("kernel build id", release.kernel.build_id, facts.kernel_build_id);
  for (const ReleaseModule& module : release.modules) {
    if (!module.pinned) continue;  // a node speaks of those that it was told to load
    const std::string what = "module " + module.name;
    const LoadedModule* loaded = named(facts.modules, module.name);
    if (loaded == nullptr) {
      compare(what, "that it is loaded", "(not loaded)");
      continue;
    }
    compare(what + " version", module.version, loaded->version);
    compare(what + " srcversion", module.srcversion, loaded->srcversion);
    compare(what + " build id", module.build_id, loaded->build_id);
  }
  for (const ReleasePackage& tool : release.tools) {
    const ReleasePackage* there = named(facts.tools, tool.name);
    compare("tool " + tool.name, tool.version, there == nullptr ? "" : there->version);
  }
  return out;
}

std::string print(const FactDifference& difference) {
  return "reports " + excerpt(difference.fact) + " " + excerpt(difference.got) +
         ", but its release says " + excerpt(difference.want);
}

}  // namespace weir::manifests
