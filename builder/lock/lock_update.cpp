#include "builder/lock/lock_update.h"

#include <algorithm>
#include <set>

#include "builder/kernel/kernel_packages.h"
#include "manifests/base/closest_names.h"

namespace weir::builder {
namespace {

constexpr std::string_view kKernel = "kernel";

Status check_names_something(const std::string& update, const manifests::Lock& before,
                             const manifests::ImageManifest& manifest) {
  std::vector<std::string_view> names = {kKernel};
  for (const auto& package : before.packages) names.push_back(package.name);
  if (before.module_build) {
    for (const auto& package : before.module_build->packages) names.push_back(package.name);
  }
  for (const auto& program : before.programs) names.push_back(program.name);
  for (const auto& package : manifest.packages) names.push_back(package);
  const bool any = std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return manifests::matches(update, name);
  });
  if (any) return {};
  return fail(Errc::invalid_input, "--update " + update + ": nothing in the lock has this name" +
                                       suggestion(update, names));
}

}  // namespace

Result<Kept> keep_all_but(const std::vector<std::string>& updates, const manifests::Lock& before,
                          const manifests::ImageManifest& manifest) {
  for (const auto& update : updates) TRY(check_names_something(update, before, manifest));
  std::set<std::string_view> kernel;  // all packages that it comes in
  for (const std::size_t place : kernel_packages_of(before)) {
    kernel.insert(before.packages[place].name);
  }
  const auto moves = [&](std::string_view name) {
    return std::any_of(updates.begin(), updates.end(), [&](const std::string& update) {
      return manifests::matches(update, name) || (update == kKernel && kernel.contains(name));
    });
  };
  Kept out;
  for (const auto& package : before.packages) {
    if (!moves(package.name)) out.packages.push_back(package);
  }
  for (const auto& program : before.programs) {
    if (!moves(program.name)) out.programs.push_back(program);
  }
  if (!moves(before.kernel)) out.kernel = before.kernel;
  if (!before.module_build) return out;
  for (const auto& package : before.module_build->packages) {
    // Headers and what belongs to them move with their kernel.
    const bool kernels = package.name.starts_with("linux-") && !out.kernel;
    if (!kernels && !moves(package.name)) out.build_packages.push_back(package);
  }
  return out;
}

}  // namespace weir::builder
