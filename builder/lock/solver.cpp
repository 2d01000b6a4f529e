#include "builder/lock/solver.h"

#include <algorithm>

#include "builder/lock/explain.h"
#include "builder/lock/solution.h"
#include "builder/lock/version_limits.h"

namespace weir::builder {
namespace {

using manifests::ImageManifest;
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

Status check_constraints_used(const ImageManifest& manifest, const Resolution& resolution) {
  for (const auto& [package, pattern] : manifest.constraints) {
    const bool used = std::any_of(resolution.packages.begin(), resolution.packages.end(),
                                  [name = package](const auto& p) { return p.name == name; });
    if (!used) {
      return fail(Errc::invalid_input,
                  "constraints." + package + ": this package is not in the image; remove the line");
    }
  }
  return {};
}

}  // namespace

Result<Resolution> resolve(const ImageManifest& manifest, const std::vector<PackageIndex>& indices,
                           const Kept& kept, const std::vector<std::string>& explained) {
  TRY_ASSIGN(auto pool, PackagePool::load(manifest, indices));
  TRY(constrain(pool, manifest));
  TRY(keep(pool, kept));
  TRY_ASSIGN(const auto solution, solve(pool, manifest, kept));
  Resolution out{.kernel = std::string(pool.name(solution.kernel)), .packages = {}};
  for (const Id id : solution.packages) {
    TRY_ASSIGN(auto package, lock(id, pool, solution, indices));
    out.packages.push_back(std::move(package));
  }
  std::sort(out.packages.begin(), out.packages.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  TRY(check_constraints_used(manifest, out));
  for (const std::string& package : explained) {
    TRY_ASSIGN(auto explanation, explain(pool, solution, manifest, package));
    out.explanations.push_back(std::move(explanation));
  }
  return out;
}

}  // namespace weir::builder
