#include "builder/mirror/edge/suites.h"

#include <algorithm>
#include <filesystem>

#include "builder/mirror/edge/download_text.h"
#include "builder/mirror/edge/inrelease.h"
#include "builder/mirror/suite_index.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxInRelease{16ULL << 20};
constexpr ByteCount kMaxPackages{1ULL << 30};

// One Packages file on its way.
struct Wanted {
  std::string suite, component;
  bool not_automatic = false;
  IndexFile packed, plain;
};

Result<Wanted> find_index(const SuiteIndex& index, const std::string& suite,
                          const std::string& component, const std::string& architecture) {
  const std::string plain = component + "/binary-" + architecture + "/Packages";
  const auto packed = index.files.find(plain + ".xz");
  const auto unpacked = index.files.find(plain);
  if (packed == index.files.end() || unpacked == index.files.end()) {
    return fail(Errc::not_found,
                "has no component '" + component + "' for architecture " + architecture);
  }
  if (unpacked->second.size > kMaxPackages) {
    return fail(Errc::exhausted, plain + " is larger than " + print(kMaxPackages));
  }
  return Wanted{suite, component, index.not_automatic, packed->second, unpacked->second};
}

Download download_of(const Wanted& wanted, const std::vector<std::string>& dists,
                     const std::string& architecture, bool by_hash) {
  Download out{.what = "suite " + wanted.suite + ": " + wanted.component + "/Packages.xz",
               .urls = {},
               .digest = wanted.packed.digest,
               .size = wanted.packed.size};
  const std::string folder = "/" + wanted.component + "/binary-" + architecture;
  const std::string hash = "/by-hash/SHA256/" + out.digest.hex();
  // Under its digest an index stays valid while the mirror is being updated.
  for (const auto& name : {by_hash ? hash : "", std::string("/Packages.xz")}) {
    if (name.empty()) continue;
    for (const auto& base : dists) out.urls.push_back(base + folder + name);
  }
  return out;
}

Result<PackageIndex> parse_index(const Wanted& wanted, std::string_view packed) {
  TRY_ASSIGN(auto text, decode_xz(packed, wanted.plain.size));
  if (text.size() != wanted.plain.size.value || Digest::of(as_bytes(text)) != wanted.plain.digest) {
    return fail(Errc::integrity, "Packages.xz does not unpack to the signed Packages");
  }
  return PackageIndex::parse(std::move(text), wanted.suite, wanted.not_automatic);
}

Result<PackageIndex> read_index(const Wanted& wanted, const Cache& cache) {
  TRY_ASSIGN(const auto packed, read_blob(cache, wanted.packed.digest, wanted.packed.size));
  return parse_index(wanted, packed);
}

// A blob that nobody is about to fetch again, so it is not removed where it is another.
Result<std::string> read_kept(const Cache& cache, const Digest& digest, ByteCount limit) {
  const std::string path = cache.blob_path(digest);
  TRY_ASSIGN(std::string out, read_file(path, limit));
  if (Digest::of(as_bytes(out)) != digest) {
    return fail(Errc::integrity, path + " was damaged or changed");
  }
  return out;
}

// Reads what a source of a lock stands for. Where it cannot be read, says why in `missing`.
Status read_source(const manifests::ImageManifest& manifest, const manifests::LockedSource& source,
                   const std::string& keyring, const Cache& cache, CachedSuites& out) {
  const auto is_missing = [&](const auto& result, const std::string& why) {
    const bool gone = !result && result.error().code == Errc::not_found;
    if (gone) out.missing = why.empty() ? result.error().message : why;
    return gone;
  };
  const std::string unkept = " is not in the cache, where weir-builder lock keeps it";
  auto file = read_kept(cache, source.inrelease_digest, kMaxInRelease);
  if (is_missing(file, "InRelease" + unkept)) return {};
  TRY_IN(file, "InRelease");
  auto text = verify_inrelease(*file, keyring);
  if (is_missing(text, "")) return {};
  TRY_IN(text, "InRelease");
  if (text->signer() != source.signer) {
    return fail(Errc::unauthorized, "InRelease: is signed by " + text->signer() +
                                        ", and the lock says " + source.signer);
  }
  TRY_ASSIGN_IN(const auto index, parse_suite_index(*text), "InRelease");
  TRY_IN(check_suite_name(index, source.suite), "InRelease");
  if (index.date != source.date) {
    return fail(Errc::integrity,
                "InRelease: is dated " + index.date + ", and the lock says " + source.date);
  }
  for (const auto& component : manifest.sources.components) {
    TRY_ASSIGN(const auto entry, find_index(index, source.suite, component, manifest.architecture));
    auto packed = read_kept(cache, entry.packed.digest, entry.packed.size);
    if (is_missing(packed, component + "/Packages.xz" + unkept)) return {};
    TRY_IN(packed, component);
    TRY_ASSIGN_IN(auto parsed, parse_index(entry, *packed), component);
    out.indices.push_back(std::move(parsed));
  }
  return {};
}

}  // namespace

std::string keyring_path(const manifests::ImageManifest& manifest,
                         const std::string& manifest_path) {
  return std::filesystem::absolute(std::filesystem::path(manifest_path).parent_path() /
                                   manifest.sources.keyring)
      .lexically_normal()
      .string();
}

Result<CachedSuites> read_cached_suites(const manifests::ImageManifest& manifest,
                                        const manifests::Lock& lock, const std::string& keyring,
                                        const Cache& cache) {
  CachedSuites out;
  for (const auto& source : lock.sources) {
    const std::string where = "suite " + source.suite;
    TRY_IN(read_source(manifest, source, keyring, cache, out), where);
    if (out.missing) return CachedSuites{{}, where + ": " + *out.missing};
  }
  return out;
}

Result<Suites> fetch_suites(const manifests::ImageManifest& manifest, const std::string& keyring,
                            const Mirrors& mirrors, const Cache& cache, std::int64_t now,
                            const DownloadObserver& observer) {
  Suites out;
  std::vector<Wanted> wanted;
  std::vector<Download> downloads;
  for (const auto& suite : manifest.sources.suites) {
    const std::string where = "suite " + suite;
    TRY_ASSIGN(const auto bases, mirrors.bases_of(suite));
    std::vector<std::string> dists, files;
    for (const auto& base : bases) {
      dists.push_back(base + "/dists/" + suite);
      files.push_back(dists.back() + "/InRelease");
    }
    SuiteIndex index;
    std::string signer;
    // What a mirror or a cache on the way damaged or kept for too long is worth another attempt.
    const auto sound = [&](const DownloadedText& file) -> Status {
      TRY_ASSIGN(const auto text, verify_inrelease(file.text, keyring));
      TRY_ASSIGN(index, parse_suite_index(text));
      signer = text.signer();
      return check_suite_index(index, suite, now);
    };
    TRY_ASSIGN(const auto file,
               download_text(where, files, kMaxInRelease, mirrors.policy(), observer, sound));
    // The mirror that had it has its files.
    std::rotate(dists.begin(), dists.begin() + static_cast<std::ptrdiff_t>(file.place),
                dists.end());
    const Digest digest = Digest::of(as_bytes(file.text));
    if (!FetchedBlob::open(cache, digest, ByteCount{file.text.size()})) {
      TRY(cache.put(digest, file.text));
    }
    out.sources.push_back({suite, digest, index.date, signer});
    out.newest_date = std::max(out.newest_date, index.date_unix);
    for (const auto& component : manifest.sources.components) {
      TRY_ASSIGN_IN(auto entry, find_index(index, suite, component, manifest.architecture), where);
      if (!FetchedBlob::open(cache, entry.packed.digest, entry.packed.size)) {
        downloads.push_back(download_of(entry, dists, manifest.architecture, index.by_hash));
      }
      wanted.push_back(std::move(entry));
    }
  }
  TRY(download(downloads, cache, mirrors.policy(), observer));
  for (const auto& entry : wanted) {
    TRY_ASSIGN_IN(auto index, read_index(entry, cache),
                  "suite " + entry.suite + ": " + entry.component);
    out.indices.push_back(std::move(index));
  }
  return out;
}

}  // namespace weir::builder
