#include "builder/lock_check.h"

#include "builder/suite_index.h"

namespace weir::builder {

Status check_not_older(const std::vector<manifests::LockedSource>& before,
                       const std::vector<manifests::LockedSource>& after) {
  for (const auto& old : before) {
    for (const auto& now : after) {
      if (now.suite != old.suite) continue;
      TRY_ASSIGN_IN(const std::int64_t then, parse_date(old.date), "suite " + old.suite);
      TRY_ASSIGN_IN(const std::int64_t date, parse_date(now.date), "suite " + now.suite);
      if (date < then) {
        return fail(Errc::integrity, "suite " + old.suite + ": InRelease: is dated " + now.date +
                                         ", before the one locked (" + old.date +
                                         "): the mirror is stale or was put back; use another");
      }
    }
  }
  return {};
}

Result<std::vector<manifests::LockedPackage>> vanished_from(
    const std::vector<PackageIndex>& indices, const manifests::Lock& lock) {
  std::vector<manifests::LockedPackage> out;
  for (const auto& package : lock.packages) {
    bool there = false;
    const IndexedPackage* other = nullptr;
    for (const auto& index : indices) {
      if (index.suite() != package.suite) continue;
      auto [at, end] = index.named(package.name);
      for (; at != end; ++at) {
        if (at->version != package.version || at->architecture != package.architecture) continue;
        if (at->digest == package.digest) there = true;
        other = at;
      }
    }
    if (there) continue;
    if (other != nullptr) {
      return fail(Errc::integrity, package.name + " " + package.version + ": the lock has digest " +
                                       package.digest.hex() + ", the signed index of " +
                                       package.suite + " has " + other->digest.hex() +
                                       ": the lock was changed; lock again");
    }
    out.push_back(package);
  }
  return out;
}

}  // namespace weir::builder
