#include "builder/lock/lock_changes.h"

#include <map>
#include <utility>

namespace weir::builder {
namespace {

using Named = std::map<std::string, std::pair<std::string, Digest>>;

Named contents(const manifests::Lock& lock) {
  Named out;
  for (const auto& package : lock.packages) {
    out.emplace(package.name, std::pair(package.version, package.digest));
  }
  if (lock.module_build) {
    for (const auto& package : lock.module_build->packages) {
      out.emplace(package.name + " (compiling)", std::pair(package.version, package.digest));
    }
    const std::string& signer = lock.module_build->signer;
    if (!signer.empty()) {
      const Digest digest = Digest::of(as_bytes(signer));
      out.emplace("module_signer", std::pair(digest.hex().substr(0, 12), digest));
    }
  }
  for (const auto& program : lock.programs) {
    out.emplace(program.name, std::pair(program.digest.hex().substr(0, 12), program.digest));
  }
  for (const auto& module : lock.modules) {
    out.emplace("module " + module.name,
                std::pair(module.digest.hex().substr(0, 12), module.digest));
  }
  for (const auto& source : lock.sources) {
    out.emplace("signer of " + source.suite,
                std::pair(source.signer, Digest::of(as_bytes(source.signer))));
  }
  out.emplace("compressor", std::pair(lock.compressor, Digest::of(as_bytes(lock.compressor))));
  return out;
}

}  // namespace

std::vector<LockChange> changes(const manifests::Lock& before, const manifests::Lock& after) {
  const Named old = contents(before), now = contents(after);
  std::map<std::string, LockChange> out;
  for (const auto& [name, value] : old) {
    const auto found = now.find(name);
    if (found == now.end()) {
      out.emplace(name, LockChange{name, value.first, std::nullopt});
    } else if (found->second != value) {
      out.emplace(name, LockChange{name, value.first, found->second.first});
    }
  }
  for (const auto& [name, value] : now) {
    if (!old.contains(name)) out.emplace(name, LockChange{name, std::nullopt, value.first});
  }
  std::vector<LockChange> list;
  list.reserve(out.size());
  for (auto& [name, change] : out) list.push_back(std::move(change));
  return list;
}

}  // namespace weir::builder
