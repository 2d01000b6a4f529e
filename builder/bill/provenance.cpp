#include "builder/bill/provenance.h"

#include <algorithm>

namespace weir::builder {
namespace {

using manifests::Artifact;

std::string file_name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
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
