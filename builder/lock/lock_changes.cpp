#include "builder/lock/lock_changes.h"

#include <map>
#include <utility>

namespace weir::builder {
namespace {

using Named = std::map<std::string, std::pair<std::string, Digest>>;

// Its bytes, and where they come from.
void add(const manifests::LockedPackage& package, const std::string& note, Named& out) {
  out.emplace(package.name + note, std::pair(package.version, package.digest));
  const std::string place = package.suite + " " + package.path;
  out.emplace("place of " + package.name + note, std::pair(place, Digest::of(as_bytes(place))));
}

// A place goes without saying where the package itself is new, gone or another.
bool goes_without_saying(const std::string& name, const Named& old, const Named& now) {
  constexpr std::string_view kPlace = "place of ";
  if (!name.starts_with(kPlace)) return false;
  const std::string package = name.substr(kPlace.size());
  const auto before = old.find(package), after = now.find(package);
  return before == old.end() || after == now.end() || before->second != after->second;
}

Named contents(const manifests::Lock& lock) {
  Named out;
  for (const auto& package : lock.packages) add(package, "", out);
  if (lock.module_build) {
    for (const auto& package : lock.module_build->packages) add(package, " (compiling)", out);
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
    if (source.expired.empty()) continue;
    out.emplace("expired index of " + source.suite,
                std::pair(source.expired, Digest::of(as_bytes(source.expired))));
  }
  out.emplace("compressor", std::pair(lock.compressor, Digest::of(as_bytes(lock.compressor))));
  return out;
}

}  // namespace

std::vector<LockChange> changes(const manifests::Lock& before, const manifests::Lock& after) {
  const Named old = contents(before), now = contents(after);
  std::map<std::string, LockChange> out;
  for (const auto& [name, value] : old) {
    if (goes_without_saying(name, old, now)) continue;
    const auto found = now.find(name);
    if (found == now.end()) {
      out.emplace(name, LockChange{name, value.first, std::nullopt});
    } else if (found->second != value) {
      out.emplace(name, LockChange{name, value.first, found->second.first});
    }
  }
  for (const auto& [name, value] : now) {
    if (!old.contains(name) && !goes_without_saying(name, old, now))
      out.emplace(name, LockChange{name, std::nullopt, value.first});
  }
  std::vector<LockChange> list;
  list.reserve(out.size());
  for (auto& [name, change] : out) list.push_back(std::move(change));
  return list;
}

std::vector<LockChange> index_changes(const manifests::Lock& before, const manifests::Lock& after) {
  std::vector<LockChange> out;
  for (const auto& now : after.sources) {
    for (const auto& old : before.sources) {
      if (old.suite != now.suite || old.inrelease_digest == now.inrelease_digest) continue;
      const bool same = old.date == now.date;
      out.push_back({now.suite, old.date, now.date + (same ? ", of other bytes" : "")});
    }
  }
  return out;
}

}  // namespace weir::builder
