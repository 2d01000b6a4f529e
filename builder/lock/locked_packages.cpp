#include "builder/lock/locked_packages.h"

#include <algorithm>

namespace weir::builder {
namespace {

using manifests::LockedPackage;

Result<LockedPackage> lock(Id id, const PackagePool& pool, const Solution& solution,
                           const std::vector<PackageIndex>& indices) {
  const auto reason = solution.reasons.find(id);
  if (reason == solution.reasons.end()) {
    return fail(Errc::bug, std::string(pool.name(id)) +
                               " was chosen, and nothing in the image asks for it or needs it");
  }
  std::string why = "asked for";
  if (id == solution.kernel) why = "kernel";
  if (reason->second.by != 0) why = "needed by " + std::string(pool.name(reason->second.by));
  const PackageIndex* index = &pool.index_of(id);
  const IndexedPackage* entry = pool.entry_of(id, *index);
  for (const auto& other : indices) {
    const IndexedPackage* same = pool.entry_of(id, other);
    if (same != nullptr && same->digest == entry->digest) {
      index = &other;
      entry = same;
      break;
    }
  }
  return LockedPackage{.name = std::string(entry->name),
                       .version = std::string(entry->version),
                       .architecture = std::string(entry->architecture),
                       .path = std::string(entry->path),
                       .size = entry->size,
                       .digest = entry->digest,
                       .suite = index->suite(),
                       .why = std::move(why)};
}

}  // namespace

Result<std::vector<LockedPackage>> locked_packages(const PackagePool& pool,
                                                   const Solution& solution,
                                                   const std::vector<PackageIndex>& indices) {
  std::vector<LockedPackage> out;
  for (const Id id : solution.packages) {
    TRY_ASSIGN(auto package, lock(id, pool, solution, indices));
    out.push_back(std::move(package));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

}  // namespace weir::builder
