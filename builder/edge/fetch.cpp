#include "builder/edge/fetch.h"

#include <map>

#include "manifests/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxProgram{64ULL << 20};

std::string name_of(const manifests::LockedPackage& package) {
  return package.name + " " + package.version;
}

}  // namespace

Result<FetchedPackage> FetchedPackage::open(const Cache& cache,
                                            const manifests::LockedPackage& package) {
  TRY_ASSIGN_IN(auto deb, FetchedBlob::open(cache, package.digest, package.size), name_of(package));
  return FetchedPackage(package, std::move(deb));
}

Result<std::vector<FetchedPackage>> fetch_packages(
    const std::vector<manifests::LockedPackage>& packages, const Mirrors& mirrors,
    const Cache& cache, const DownloadObserver& observer) {
  std::map<std::size_t, FetchedPackage> opened;
  std::vector<Download> missing;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    auto cached = FetchedPackage::open(cache, packages[i]);
    if (cached) {
      opened.emplace(i, std::move(*cached));
      continue;
    }
    // A damaged file was removed and comes again, like one that never was here.
    const Errc code = cached.error().code;
    if (code != Errc::not_found && code != Errc::integrity) return tl::unexpected(cached.error());
    TRY_ASSIGN_IN(const auto base, mirrors.base_of(packages[i].suite), name_of(packages[i]));
    missing.push_back({name_of(packages[i]),
                       {base + "/" + packages[i].path},
                       packages[i].digest,
                       packages[i].size});
    places.push_back(i);
  }
  const auto statuses = download(missing, cache, DownloadPolicy{}, observer);
  std::size_t gone = 0;
  const Error* first = nullptr;
  for (const auto& status : statuses) {
    if (status) continue;
    gone += status.error().code == Errc::not_found ? 1 : 0;
    const bool graver = first != nullptr && first->code == Errc::not_found &&
                        status.error().code != Errc::not_found;
    if (first == nullptr || graver) first = &status.error();
  }
  if (first != nullptr) {
    Error error = *first;
    if (error.code == Errc::not_found) {
      if (gone > 1) error.message += " (nor " + std::to_string(gone - 1) + " others)";
      error.message +=
          ", and the cache has no copy: mirrors drop superseded versions, so lock again";
    }
    return tl::unexpected(std::move(error));
  }
  for (const std::size_t place : places) {
    TRY_ASSIGN(auto package, FetchedPackage::open(cache, packages[place]));
    opened.emplace(place, std::move(package));
  }
  std::vector<FetchedPackage> out;
  out.reserve(opened.size());
  for (auto& [place, package] : opened) out.push_back(std::move(package));
  return out;
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
