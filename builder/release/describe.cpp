#include "builder/release/describe.h"

#include <algorithm>
#include <map>
#include <set>

#include "builder/secrets/secret_scan.h"
#include "images/formats/layer.h"

namespace weir::builder {
namespace {

manifests::ReleasePackage short_of(const manifests::LockedPackage& package) {
  return {package.name, package.version, package.architecture};
}

template <class T>
void sort_by_name(std::vector<T>& items) {
  std::sort(items.begin(), items.end(), [](const T& a, const T& b) { return a.name < b.name; });
}

}  // namespace

manifests::ReleaseTerms terms_of(const manifests::ReleasePolicy& policy,
                                 const manifests::Lock& lock) {
  return {policy.version.value_or(lock.version), policy.channel, policy.replaces_from,
          UtcTime{lock.source_epoch + policy.valid_for.count()}};
}

std::vector<manifests::ReleasePackage> tools_of(const manifests::ImageManifest& manifest,
                                                const manifests::Lock& lock) {
  const std::set<std::string> asked(manifest.packages.begin(), manifest.packages.end());
  std::vector<manifests::ReleasePackage> out;
  for (const auto& package : lock.packages) {
    if (asked.contains(package.name)) out.push_back(short_of(package));
  }
  sort_by_name(out);
  return out;
}

Result<manifests::Release> describe(const manifests::ImageManifest& manifest,
                                    const manifests::Lock& lock, const Digest& lock_digest,
                                    const std::vector<LayerFacts>& layers) {
  const auto kernel = std::find_if(layers.begin(), layers.end(), [](const LayerFacts& layer) {
    return layer.kernel.has_value();
  });
  if (kernel == layers.end()) return fail(Errc::invalid_input, "no layer brings a kernel");
  std::vector<manifests::ReleasePackage> packages;
  packages.reserve(lock.packages.size());
  for (const auto& package : lock.packages) packages.push_back(short_of(package));
  sort_by_name(packages);
  std::vector<manifests::ReleaseLayer> described;
  described.reserve(layers.size());
  manifests::ReleaseScan scan{kScanRules, 0, 0};
  std::map<std::string, Digest> accepted;
  for (const LayerFacts& layer : layers) {
    described.push_back(layer.layer);
    scan.files += layer.scan.files;
    scan.bytes += layer.scan.bytes;
    // A file that replaces a package's own stands above it.
    for (const auto& file : layer.scan.accepted) accepted.insert_or_assign(file.path, file.digest);
  }
  for (const auto& [path, digest] : accepted) scan.accepted.push_back({path, digest});
  std::vector<manifests::ReleaseSource> sources;
  for (const auto& source : lock.sources) {
    sources.push_back({source.suite, source.inrelease_digest, source.date});
  }
  return manifests::Release{lock.name,
                            lock.architecture,
                            lock.source_epoch,
                            lock_digest,
                            kernel->kernel->kernel,
                            kernel->kernel->modules,
                            tools_of(manifest, lock),
                            std::move(packages),
                            lock.provides,
                            std::move(described),
                            manifest.command_line,
                            std::move(sources),
                            builder_version(),
                            terms_of(manifest.release, lock),
                            std::move(scan)};
}

std::string builder_version() {
  return WEIR_VERSION "+" + images::layer_encoder();
}

}  // namespace weir::builder
