#include "builder/lock/lock_check.h"

#include <algorithm>

#include "builder/mirror/release_date.h"

namespace weir::builder {
namespace {

std::string title(const manifests::LockedPackage& package) {
  return package.name + " " + package.version;
}

tl::unexpected<Error> differs(const manifests::LockedPackage& package, const std::string& field,
                              const std::string& locked, const std::string& indexed) {
  return fail(Errc::integrity, title(package) + ": the lock has " + field + " " + locked +
                                   ", the signed index of " + package.suite + " has " + indexed);
}

struct Found {
  const IndexedPackage* entry = nullptr;  ///< of this version and architecture; the right one first
  std::string others;                     ///< versions that the suite has instead
};

Found find_in(const std::vector<PackageIndex>& indices, const manifests::LockedPackage& package) {
  Found out;
  for (const auto& index : indices) {
    if (index.suite() != package.suite) continue;
    auto [at, end] = index.named(package.name);
    for (; at != end; ++at) {
      if (at->version != package.version || at->architecture != package.architecture) {
        out.others += (out.others.empty() ? "" : ", ") + std::string(at->version);
      } else if (out.entry == nullptr ||
                 (out.entry->digest != package.digest && at->digest == package.digest)) {
        out.entry = at;
      }
    }
  }
  return out;
}

// Those of the image, and those that modules are compiled with.
std::vector<const manifests::LockedPackage*> all_packages(const manifests::Lock& lock) {
  std::vector<const manifests::LockedPackage*> out;
  for (const auto& package : lock.packages) out.push_back(&package);
  if (!lock.module_build) return out;
  for (const auto& package : lock.module_build->packages) {
    const auto same = std::find(lock.packages.begin(), lock.packages.end(), package);
    if (same == lock.packages.end()) out.push_back(&package);
  }
  return out;
}

}  // namespace

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
  for (const auto* each : all_packages(lock)) {
    const manifests::LockedPackage& package = *each;
    const Found found = find_in(indices, package);
    if (found.entry == nullptr) {
      out.push_back(package);
    } else if (found.entry->sha512.empty() && found.entry->digest != package.digest) {
      auto error =
          differs(package, "digest", package.digest.hex(), found.entry->digest.hex()).value();
      error.message +=
          ": the lock was changed, or the archive has other bytes under this "
          "version; weir-builder lock takes them";
      return tl::unexpected(std::move(error));
    }
  }
  return out;
}

Status check_compressor(const manifests::Lock& lock, std::string_view own) {
  if (lock.compressor == own) return {};
  return fail(Errc::integrity, "was made for the compressor " + lock.compressor +
                                   ", and this builder has " + std::string(own));
}

Status check_sources(const std::vector<SuiteSource>& suites, const manifests::Lock& lock) {
  const auto is_of = [](const auto& suite, const auto& source) {
    return suite.label == source.suite;
  };
  if (!std::equal(suites.begin(), suites.end(), lock.sources.begin(), lock.sources.end(), is_of)) {
    return fail(Errc::integrity, "its sources are not the suites of the manifest");
  }
  std::int64_t newest = 0;
  for (const auto& source : lock.sources) {
    TRY_ASSIGN_IN(const std::int64_t date, parse_date(source.date), "suite " + source.suite);
    newest = std::max(newest, date);
  }
  if (newest == lock.source_epoch) return {};
  return fail(Errc::integrity, "its source_epoch is not the newest date of its sources");
}

std::optional<std::string> listed_by_sha512(const std::vector<PackageIndex>& indices,
                                            const manifests::Lock& lock) {
  for (const auto* package : all_packages(lock)) {
    const Found found = find_in(indices, *package);
    if (found.entry != nullptr && !found.entry->sha512.empty()) return title(*package);
  }
  return std::nullopt;
}

Status check_indexed(const std::vector<PackageIndex>& indices, const manifests::Lock& lock) {
  for (const auto* each : all_packages(lock)) {
    const manifests::LockedPackage& package = *each;
    const auto [entry, others] = find_in(indices, package);
    if (entry == nullptr) {
      return fail(Errc::integrity, title(package) + " (" + package.architecture +
                                       ") is not in the signed index of " + package.suite +
                                       (others.empty() ? "" : ", which has " + others));
    }
    if (entry->digest != package.digest) {
      return differs(package, "digest", package.digest.hex(), entry->digest.hex());
    }
    if (entry->size != package.size) {
      return differs(package, "size", std::to_string(package.size.value),
                     std::to_string(entry->size.value));
    }
    if (entry->path != package.path) {
      return differs(package, "path", package.path, std::string(entry->path));
    }
  }
  return {};
}

}  // namespace weir::builder
