#include "builder/mirror/edge/fetch.h"

#include <sys/stat.h>

#include "builder/mirror/address.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxProgram{64ULL << 20};

std::string name_of(const manifests::LockedPackage& package) {
  return package.name + " " + package.version;
}

// What to do about a package that nobody has any more.
std::string mend_for(const std::vector<std::string>& snapshots) {
  if (snapshots.empty()) {
    return ", and the cache has no copy: mirrors drop superseded versions, so lock again, or name "
           "a snapshot service with --snapshot";
  }
  std::string places;
  for (const auto& place : snapshots) places += (places.empty() ? "" : ", ") + place;
  return ", the cache has no copy, and no snapshot has it at " + places +
         ": check the archive's name in the URL of --snapshot, name another service, or lock again";
}

}  // namespace

Result<std::string> read_package(const Cache& cache, const manifests::LockedPackage& package) {
  TRY_ASSIGN_IN(std::string deb, read_blob(cache, package.digest, package.size), name_of(package));
  return deb;
}

bool is_cached(const Cache& cache, const manifests::LockedPackage& package) {
  struct stat info {};
  return ::stat(cache.blob_path(package.digest).c_str(), &info) == 0;
}

Status fetch_packages(const std::vector<manifests::LockedPackage>& packages, const Mirrors& mirrors,
                      const Cache& cache, const DownloadObserver& observer,
                      const DownloadArrived& arrived, const std::function<bool()>& stopped) {
  std::vector<Download> downloads;
  for (const auto& package : packages) {
    TRY_ASSIGN_IN(const auto bases, mirrors.bases_of(package.suite), name_of(package));
    Download wanted{name_of(package),
                    {},
                    package.digest,
                    package.size,
                    mend_for(mirrors.snapshots_of(package.suite))};
    for (const auto& base : bases) wanted.urls.push_back(base + "/" + encode_path(package.path));
    downloads.push_back(std::move(wanted));
  }
  DownloadPolicy policy = mirrors.policy();
  policy.stopped = stopped;
  return download(downloads, cache, policy, observer, arrived);
}

Result<FetchedBlob> fetch_program(const manifests::LockedProgram& program,
                                  const std::string& folder, const Cache& cache) {
  auto cached = FetchedBlob::open(cache, program.digest, program.size);
  if (cached) return cached;
  const std::string path = folder + "/" + program.name;
  TRY_ASSIGN_IN(const auto bytes, read_file(path, kMaxProgram), program.name);
  if (Digest::of(as_bytes(bytes)) != program.digest) {
    return fail(Errc::integrity, path +
                                     " is not the program that the lock names, and the cache has "
                                     "no copy of that one: lock again");
  }
  TRY(cache.put(program.digest, bytes));
  return FetchedBlob::open(cache, program.digest, program.size);
}

}  // namespace weir::builder
