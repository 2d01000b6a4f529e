#include "builder/bill/bill_of_materials.h"

#include <algorithm>
#include <set>

#include "builder/bill/debian_release.h"
#include "builder/bill/package_vendor.h"
#include "builder/kernel/module_selection.h"
#include "builder/packages/package_relations.h"
#include "manifests/base/utc_time.h"
#include "manifests/documents/architecture.h"
#include "manifests/documents/package_url.h"

namespace weir::builder {
namespace {

// The same packages, in the same versions: a lock that is not the release's own does not pass.
Status check_same(const manifests::Release& release, const manifests::Lock& lock) {
  const bool same =
      std::equal(release.packages.begin(), release.packages.end(), lock.packages.begin(),
                 lock.packages.end(), [](const auto& stated, const auto& locked) {
                   return stated.name == locked.name && stated.version == locked.version &&
                          stated.architecture == locked.architecture;
                 });
  if (same && release.name == lock.name) return {};
  return fail(Errc::integrity,
              "release " + release.name.string() + ": its lock lists other packages");
}

MaterialPackage material(const manifests::Lock& lock, const manifests::LockedPackage& package,
                         std::vector<std::string> needs, std::string licenses) {
  return MaterialPackage{package.name,
                         package.version,
                         package.architecture,
                         package.digest,
                         package.path,
                         package_url_of(lock, package),
                         vendor_of(lock, package),
                         source_package_of(package.path),
                         package.suite,
                         package.why,
                         std::move(needs),
                         std::move(licenses)};
}

// What modules were compiled from: their code is in the image, their packages are not.
void add_sources(const manifests::Lock& lock, BillOfMaterials& out) {
  if (!lock.module_build) return;
  for (const auto& package : lock.module_build->packages) {
    std::string modules;
    for (const MaterialFile& module : out.modules) {
      if (module.source == package.name) modules += (modules.empty() ? "" : ", ") + module.name;
    }
    if (modules.empty()) continue;
    out.sources.push_back(material(lock, package, {}, {}));
    out.sources.back().why = "source of module " + modules;
  }
}

}  // namespace

bool is_debians(const MaterialPackage& package) {
  return package.vendor == manifests::kDebian;
}

std::string supplier_of(const MaterialPackage& package) {
  return is_debians(package) ? "Debian" : package.vendor;
}

std::string source_package_of(std::string_view path) {
  const auto file = path.rfind('/');
  if (!path.starts_with("pool/") || file == std::string_view::npos) return {};
  path = path.substr(0, file);
  const auto folder = path.rfind('/');
  const std::string_view source = path.substr(folder + 1);
  const std::string_view above = path.substr(0, folder);
  const std::string_view prefix = above.substr(above.rfind('/') + 1);
  // "g" for gcc-12, "libs" for libseccomp.
  const std::size_t length = source.starts_with("lib") && source.size() > 3 ? 4 : 1;
  return prefix == source.substr(0, length) ? std::string(source) : std::string();
}

Result<BillOfMaterials> bill_of_materials(const manifests::Release& release,
                                          const Digest& release_digest, const manifests::Lock& lock,
                                          const Declarations& declared) {
  TRY(check_same(release, lock));
  TRY_ASSIGN(const auto needs, needs_among(lock.packages, declared));
  BillOfMaterials out{
      release.name,
      release_digest,
      std::to_string(release.terms ? release.terms->version
                                   : static_cast<std::uint64_t>(release.source_epoch)),
      UtcTime{release.source_epoch}.string(),
      release.builder_version,
      release.provides,
      {"linux", release.kernel.release, release.kernel.image.digest, release.kernel.package},
      {},
      {},
      {},
      {},
      {},
      debian_release_of(lock)};
  std::set<std::string_view> names;
  for (const auto& package : lock.packages) names.insert(package.name);
  for (const auto& package : lock.packages) {
    out.packages.push_back(
        material(lock, package, needs.at(package.name), licenses_of(declared, package.name)));
  }
  for (const auto& module : release.modules) {
    out.modules.push_back(
        {module.name, module.version.empty() ? release.kernel.release : module.version,
         module.digest,
         module.package != kFromFile && names.contains(module.package) ? module.package : "",
         module.origin && !names.contains(module.package) ? module.package : ""});
  }
  add_sources(lock, out);
  for (const auto& program : lock.programs) {
    MaterialFile file{program.name, program.digest.string(), program.digest, ""};
    if (manifests::is_efi_stub(program.name)) {
      out.stub = std::move(file);
    } else {
      out.programs.push_back(std::move(file));
    }
  }
  for (const auto& layer : release.layers) {
    if (names.contains(layer.name)) continue;
    out.layers.push_back({layer.name, layer.blob.digest.string(), layer.blob.digest, ""});
  }
  return out;
}

}  // namespace weir::builder
