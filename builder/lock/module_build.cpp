#include "builder/lock/module_build.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "builder/kernel/kernel_packages.h"
#include "builder/lock/locked_packages.h"
#include "builder/lock/solution.h"
#include "builder/lock/version_limits.h"
#include "manifests/base/closest_names.h"

namespace weir::builder {
namespace {

using manifests::ImageManifest;
using manifests::LockedPackage;

// What compiles, and what is essential of what makefiles run: on that no package depends.
constexpr std::array<const char*, 20> kTools = {
    "bash", "coreutils", "dash",      "debianutils", "diffutils", "dkms",      "findutils",
    "gcc",  "grep",      "gzip",      "hostname",    "libc-bin",  "libc6-dev", "make",
    "mawk", "patch",     "perl-base", "sed",         "tar",       "util-linux"};

// The machine that compiles, as if it were an image without a kernel.
ImageManifest machine_of(const ImageManifest& manifest, const LockedPackage& kernel,
                         const std::string& headers) {
  ImageManifest out{
      .name = manifest.name, .architecture = manifest.architecture, .sources = manifest.sources};
  out.packages = manifests::dkms_packages(manifest);
  out.packages.push_back(headers);
  out.packages.insert(out.packages.end(), kTools.begin(), kTools.end());
  out.constraints = manifest.constraints;
  out.constraints[headers] = kernel.version;
  return out;
}

Status check_there(const PackagePool& pool, const ImageManifest& manifest,
                   const LockedPackage& kernel, const std::string& headers) {
  for (const std::string& package : manifests::dkms_packages(manifest)) {
    if (pool.has(package)) continue;
    return fail(Errc::not_found, "modules: " + module_compiled_from(manifest, package) +
                                     " is to be compiled from " + package + ", which no suite has" +
                                     suggestion(package, pool.names()));
  }
  const auto& versions = pool.named(headers);
  const bool any = std::any_of(versions.begin(), versions.end(),
                               [&](Id id) { return pool.version(id) == kernel.version; });
  if (!any) {
    return fail(Errc::not_found,
                "modules: compiling for " + kernel.name + " " + kernel.version + " takes " +
                    headers + " in that version, which no suite has" +
                    (versions.empty() ? "" : "; they have " + pool.versions_of(versions)));
  }
  for (const char* tool : kTools) {
    if (pool.has(tool)) continue;
    return fail(Errc::not_found, std::string("modules: compiling takes ") + tool +
                                     ", which no suite has: add one of the distribution's own");
  }
  return {};
}

// Whether a kernel that is started so loads only what it trusts the key of.
bool insists_on_signatures(const std::string& command_line) {
  std::istringstream words(command_line);
  for (std::string word; words >> word;) {
    std::replace(word.begin(), word.end(), '-', '_');
    for (const char* insists :
         {"module.sig_enforce", "module.sig_enforce=1", "module.sig_enforce=y",
          "module.sig_enforce=Y", "lockdown=integrity", "lockdown=confidentiality"}) {
      if (word == insists) return true;
    }
  }
  return false;
}

}  // namespace

std::string module_compiled_from(const ImageManifest& manifest, const std::string& package) {
  for (const auto& [name, source] : manifest.module_sources) {
    if (source.dkms == package) return name;
  }
  return {};
}

std::string headers_of(std::string_view kernel_package) {
  const auto release = read_kernel_package_name(kernel_package).release;
  return release.empty() ? std::string() : "linux-headers-" + std::string(release);
}

Result<std::optional<manifests::LockedModuleBuild>> resolve_module_build(
    const ImageManifest& manifest, const std::vector<PackageIndex>& indices,
    const LockedPackage& kernel, const Kept& kept) {
  const auto sources = manifests::dkms_packages(manifest);
  if (sources.empty()) return std::nullopt;
  if (manifest.module_signer.empty() && insists_on_signatures(manifest.command_line)) {
    return fail(Errc::invalid_input,
                "command_line makes the kernel refuse modules that are not signed, and " +
                    module_compiled_from(manifest, sources.front()) +
                    " will not be: name a module_signer, whose key the kernel trusts");
  }
  const std::string headers = headers_of(kernel.name);
  if (headers.empty()) {
    return fail(Errc::invalid_input, "modules: " + module_compiled_from(manifest, sources.front()) +
                                         " cannot be compiled: the name of the kernel's package, " +
                                         kernel.name +
                                         ", does not say which linux-headers-RELEASE belong to it");
  }
  const ImageManifest machine = machine_of(manifest, kernel, headers);
  TRY_ASSIGN(auto pool, PackagePool::load(machine, indices));
  TRY(check_there(pool, manifest, kernel, headers));
  TRY(constrain(pool, machine));
  Kept stays;
  stays.packages = kept.build_packages;
  TRY_IN(keep(pool, stays), "compiling modules");
  TRY_ASSIGN_IN(const auto solution, solve(pool, machine, stays), "compiling modules");
  manifests::LockedModuleBuild out{.sources = sources, .headers = headers, .packages = {}};
  TRY_ASSIGN(out.packages, locked_packages(pool, solution, indices));
  return out;
}

}  // namespace weir::builder
