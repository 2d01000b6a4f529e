#include "builder/kernel/kernel_packages.h"

#include <algorithm>
#include <array>
#include <string>

#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

using manifests::Lock;
using manifests::LockedPackage;

// The longest first.
constexpr std::array<std::string_view, 4> kKinds = {"linux-binary-unsigned", "linux-image-unsigned",
                                                    "linux-binary", "linux-image"};

// "6.1.0", "50", "0.deb11.5", "rc4": of the version, not of the flavour.
bool is_of_version(std::string_view word) {
  if (word.starts_with("rc")) word.remove_prefix(2);
  return !word.empty() && is_digit(word.front());
}

bool is_named_after(std::string_view package, std::string_view release) {
  return !release.empty() && package.size() > release.size() && package.ends_with(release) &&
         package[package.size() - release.size() - 1] == '-';
}

const LockedPackage* named(const Lock& lock, std::string_view name) {
  const auto found = std::find_if(lock.packages.begin(), lock.packages.end(),
                                  [&](const auto& package) { return package.name == name; });
  return found == lock.packages.end() ? nullptr : &*found;
}

// Whether the kernel is why this package is there.
bool is_needed_by_kernel(const Lock& lock, const LockedPackage& package) {
  constexpr std::string_view kNeededBy = "needed by ";
  const LockedPackage* at = &package;
  for (std::size_t steps = 0; at != nullptr && steps < lock.packages.size(); ++steps) {
    if (at->name == lock.kernel) return true;
    if (!at->why.starts_with(kNeededBy)) return false;
    at = named(lock, std::string_view(at->why).substr(kNeededBy.size()));
  }
  return false;
}

}  // namespace

KernelPackageName read_kernel_package_name(std::string_view package) {
  KernelPackageName out;
  for (const std::string_view kind : kKinds) {
    if (package.size() <= kind.size() + 1 || !package.starts_with(kind) ||
        package[kind.size()] != '-') {
      continue;
    }
    out.kind = package.substr(0, kind.size());
    out.release = out.flavour = package.substr(kind.size() + 1);
    break;
  }
  while (!out.flavour.empty()) {
    const auto dash = std::min(out.flavour.find('-'), out.flavour.size());
    if (!is_of_version(out.flavour.substr(0, dash))) break;
    out.flavour.remove_prefix(std::min(dash + 1, out.flavour.size()));
  }
  if (out.flavour.size() == out.release.size()) out.release = {};
  return out;
}

std::vector<std::size_t> kernel_packages_of(const Lock& lock) {
  std::vector<std::size_t> out;
  const LockedPackage* kernel = named(lock, lock.kernel);
  if (kernel == nullptr) return out;
  out.push_back(static_cast<std::size_t>(kernel - lock.packages.data()));
  const std::string_view release = read_kernel_package_name(lock.kernel).release;
  for (std::size_t i = 0; i < lock.packages.size(); ++i) {
    const LockedPackage& package = lock.packages[i];
    if (&package == kernel) continue;
    if (is_named_after(package.name, release) ||
        (package.version == kernel->version && is_needed_by_kernel(lock, package))) {
      out.push_back(i);
    }
  }
  return out;
}

bool is_kernels_own(const manifests::Release& release, const manifests::ReleaseModule& module) {
  const auto& kernel = release.kernel;
  if (module.package == kernel.package || is_named_after(module.package, kernel.release)) {
    return true;
  }
  return std::any_of(release.packages.begin(), release.packages.end(), [&](const auto& package) {
    return package.name == module.package && package.version == kernel.version;
  });
}

}  // namespace weir::builder
