#include "builder/lock/version_limits.h"

#include "manifests/base/closest_names.h"

namespace weir::builder {

Status constrain(PackagePool& pool, const manifests::ImageManifest& manifest) {
  for (const auto& [package, pattern] : manifest.constraints) {
    const auto& versions = pool.named(package);
    if (versions.empty()) {
      return fail(Errc::invalid_input, "constraints." + package + ": no suite has this package" +
                                           suggestion(package, pool.names()));
    }
    bool any = false;
    for (const Id id : versions) {
      const bool fits = manifests::matches(pattern, pool.version(id));
      if (!fits) pool.exclude(id);
      any = any || fits;
    }
    if (!any) {
      return fail(Errc::invalid_input, "constraints." + package + ": no version matches '" +
                                           pattern + "'; the suites have " +
                                           pool.versions_of(versions));
    }
  }
  return {};
}

Status keep(PackagePool& pool, const Kept& kept) {
  std::string gone;
  for (const auto& package : kept.packages) {
    bool any = false;
    const IndexedPackage* other = nullptr;
    for (const Id id : pool.named(package.name)) {
      const IndexedPackage* entry = pool.entry_of(id, pool.index_of(id));
      const bool same =
          entry->version == package.version && entry->architecture == package.architecture;
      if (same && entry->digest == package.digest) {
        any = true;
        continue;
      }
      if (same) other = entry;
      pool.exclude(id);
    }
    if (any) continue;
    if (other != nullptr) {
      return fail(Errc::integrity,
                  package.name + " " + package.version + ": the lock has digest " +
                      package.digest.hex() + ", the signed index has " + other->digest.hex() +
                      ": the lock was changed, or the archive has other bytes under this "
                      "version; weir-builder lock takes them");
    }
    gone += " --update " + (package.name == kept.kernel ? "kernel" : package.name);
  }
  if (gone.empty()) return {};
  return fail(Errc::not_found,
              "some packages that were to stay have left the signed indices, so no lock of today "
              "can hold them: let them move too, with" +
                  gone);
}

}  // namespace weir::builder
