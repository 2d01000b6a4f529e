#include "builder/bill/package_vendor.h"

#include <algorithm>

#include "manifests/documents/package_url.h"

namespace weir::builder {

std::string vendor_of(const manifests::Lock& lock, const manifests::LockedPackage& package) {
  const auto source = std::find_if(lock.sources.begin(), lock.sources.end(),
                                   [&](const auto& each) { return each.suite == package.suite; });
  const bool debian = source == lock.sources.end() || source->vendor.empty();
  return debian ? std::string(manifests::kDebian) : source->vendor;
}

std::string package_url_of(const manifests::Lock& lock, const manifests::LockedPackage& package) {
  const std::string vendor = vendor_of(lock, package);
  return manifests::debian_package_url(
      vendor, package.name, package.version, package.architecture,
      vendor == manifests::kDebian ? manifests::codename_of(package.suite) : "");
}

}  // namespace weir::builder
