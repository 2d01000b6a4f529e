#include "builder/bill/provenance.h"

#include <algorithm>
#include <map>

#include "builder/bill/package_vendor.h"

namespace weir::builder {
namespace {

using manifests::Artifact;

std::string file_name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

const char* use_of(const manifests::LockedModuleBuild& build, const std::string& package) {
  if (package == build.headers) return "kernel headers";
  const auto found = std::find(build.sources.begin(), build.sources.end(), package);
  return found == build.sources.end() ? "compiles modules" : "source of modules";
}

// What modules were compiled with and is not in the image, and the modules themselves.
void add_compiled(const manifests::Release& release, const manifests::Lock& lock,
                  std::vector<Artifact>& out) {
  if (!lock.module_build) return;
  std::map<std::string, std::string> files;  // of DKMS packages
  for (const auto& package : lock.module_build->packages) {
    const std::string file = file_name_of(package.path);
    files.emplace(package.name, file);
    const bool known = std::any_of(out.begin(), out.end(),
                                   [&](const Artifact& artifact) { return artifact.name == file; });
    if (known) continue;
    out.push_back({file,
                   package.digest,
                   package_url_of(lock, package),
                   {{"path", package.path}, {"use", use_of(*lock.module_build, package.name)}}});
  }
  for (const auto& module : release.modules) {
    if (!module.origin) continue;
    std::map<std::string, std::string> says = {{"source", files[module.package]},
                                               {"dkms_conf", module.origin->dkms_conf.string()},
                                               {"compiled", module.origin->compiled.string()}};
    if (!module.signature_key.empty()) says.emplace("signer", module.signature_key);
    out.push_back({module.name + ".ko", module.digest, {}, std::move(says)});
  }
}

std::vector<Artifact> dependencies_of(const manifests::Release& release,
                                      const manifests::Lock& lock, const BillOfMaterials& bill) {
  std::vector<Artifact> out = {{"lock.json", release.lock_digest},
                               {"image.yaml", lock.manifest_digest}};
  for (const auto& source : lock.sources) {
    out.push_back({"InRelease of " + source.suite,
                   source.inrelease_digest,
                   {},
                   {{"date", source.date}, {"signer", source.signer}}});
  }
  for (const MaterialPackage& package : bill.packages) {
    out.push_back({file_name_of(package.path),
                   package.digest,
                   package.package_url,
                   {{"path", package.path}}});
  }
  for (const MaterialFile& program : bill.programs) out.push_back({program.name, program.digest});
  if (bill.stub) out.push_back({bill.stub->name, bill.stub->digest});
  for (const auto& module : lock.modules) out.push_back({file_name_of(module.file), module.digest});
  add_compiled(release, lock, out);
  return out;
}

}  // namespace

manifests::Provenance describe_provenance(const manifests::Release& release,
                                          const manifests::Lock& lock, const BillOfMaterials& bill,
                                          std::vector<Artifact> byproducts) {
  return {manifests::subject_of(release, bill.release_digest),
          release.name,
          release.lock_digest,
          lock.compressor,
          dependencies_of(release, lock, bill),
          bill.builder_version,
          std::move(byproducts)};
}

}  // namespace weir::builder
