#include "builder/lock/solver.h"

#include <algorithm>

#include "builder/lock/explain.h"
#include "builder/lock/locked_packages.h"
#include "builder/lock/module_build.h"
#include "builder/lock/solution.h"
#include "builder/lock/version_limits.h"

namespace weir::builder {
namespace {

using manifests::ImageManifest;
using manifests::LockedPackage;

Status check_constraints_used(const ImageManifest& manifest, const Resolution& resolution) {
  for (const auto& [package, pattern] : manifest.constraints) {
    const auto is_in = [&name = package](const std::vector<LockedPackage>& packages) {
      return std::any_of(packages.begin(), packages.end(),
                         [&](const auto& one) { return one.name == name; });
    };
    const bool used = is_in(resolution.packages) ||
                      (resolution.module_build && is_in(resolution.module_build->packages));
    if (!used) {
      return fail(Errc::invalid_input,
                  "constraints." + package + ": this package is not in the image; remove the line");
    }
  }
  return {};
}

const LockedPackage& kernel_of(const Resolution& resolution) {
  return *std::find_if(resolution.packages.begin(), resolution.packages.end(),
                       [&](const auto& one) { return one.name == resolution.kernel; });
}

}  // namespace

Result<Resolution> resolve(const ImageManifest& manifest, const std::vector<PackageIndex>& indices,
                           const Kept& kept, const std::vector<std::string>& explained) {
  TRY_ASSIGN(auto pool, PackagePool::load(manifest, indices));
  TRY(constrain(pool, manifest));
  TRY(keep(pool, kept));
  TRY_ASSIGN(const auto solution, solve(pool, manifest, kept));
  Resolution out{.kernel = std::string(pool.name(solution.kernel)), .packages = {}};
  TRY_ASSIGN(out.packages, locked_packages(pool, solution, indices));
  TRY_ASSIGN(out.module_build, resolve_module_build(manifest, indices, kernel_of(out), kept));
  TRY(check_constraints_used(manifest, out));
  for (const std::string& package : explained) {
    out.explanations.push_back(explain(pool, solution, manifest, package));
  }
  return out;
}

}  // namespace weir::builder
