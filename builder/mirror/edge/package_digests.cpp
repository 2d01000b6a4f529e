#include "builder/mirror/edge/package_digests.h"

#include <string>

#include "builder/mirror/address.h"
#include "builder/mirror/edge/download_text.h"
#include "builder/mirror/edge/suite_files.h"

namespace weir::builder {
namespace {

// The paragraph that a package was locked from, where it states SHA-512 alone.
const IndexedPackage* unsettled(const manifests::LockedPackage& package,
                                const std::vector<PackageIndex>& indices) {
  for (const auto& index : indices) {
    if (index.suite() != package.suite) continue;
    auto [at, end] = index.named(package.name);
    for (; at != end; ++at) {
      if (!at->sha512.empty() && at->digest == package.digest) return at;
    }
  }
  return nullptr;
}

}  // namespace

Status fetch_digests(std::vector<manifests::LockedPackage>& packages,
                     const std::vector<PackageIndex>& indices, const Mirrors& mirrors,
                     const Cache& cache, const DownloadObserver& observer) {
  for (auto& package : packages) {
    const IndexedPackage* entry = unsettled(package, indices);
    if (entry == nullptr) continue;
    const std::string what = package.name + " " + package.version;
    const IndexFile file{std::nullopt, std::string(entry->sha512), package.size};
    TRY_ASSIGN_IN(auto urls, mirrors.bases_of(package.suite), what);
    for (std::string& url : urls) url += "/" + encode_path(package.path);
    const auto sound = [&](const DownloadedText& one) {
      return check_bytes(one.text, file,
                         "the mirror serves other bytes than its signed index says");
    };
    TRY_ASSIGN(const auto fetched,
               download_text(what, urls, package.size, mirrors.policy(), observer, sound));
    package.digest = Digest::of(as_bytes(fetched.text));
    TRY(cache.put(package.digest, fetched.text));
    TRY(remember_digest(cache, file, package.digest));
  }
  return {};
}

}  // namespace weir::builder
