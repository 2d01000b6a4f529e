#include "builder/kernel/edge/module_files.h"

#include <algorithm>
#include <memory>

#include "builder/mirror/edge/fetch.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxModule{128ULL << 20};

std::string path_of(const std::string& file, const std::string& manifest_path) {
  if (file.starts_with('/')) return file;
  const auto slash = manifest_path.rfind('/');
  return slash == std::string::npos ? file : manifest_path.substr(0, slash + 1) + file;
}

Result<std::string> read_module(const std::string& name, const std::string& path) {
  auto bytes = read_file(path, kMaxModule);
  if (!bytes && bytes.error().code == Errc::not_found) {
    return fail(Errc::not_found,
                path + ": no such file, and the manifest takes the module " + name + " from it");
  }
  return bytes;
}

Result<std::string> fetch(const manifests::LockedModule& locked, const std::string& manifest_path,
                          const Cache& cache) {
  if (const auto cached = FetchedBlob::open(cache, locked.digest, locked.size)) {
    return cached->read();
  }
  const std::string path = path_of(locked.file, manifest_path);
  TRY_ASSIGN(auto bytes, read_module(locked.name, path));
  if (Digest::of(as_bytes(bytes)) != locked.digest) {
    return fail(Errc::integrity, path + " is not the module " + locked.name +
                                     " that the lock names, and the cache has no copy of that one: "
                                     "lock again");
  }
  TRY(cache.put(locked.digest, bytes));
  return bytes;
}

}  // namespace

Result<std::vector<manifests::LockedModule>> lock_modules(const manifests::ImageManifest& manifest,
                                                          const std::string& manifest_path,
                                                          const Cache& cache) {
  std::vector<manifests::LockedModule> out;
  for (const auto& [name, source] : manifest.module_sources) {
    if (!source.digest) continue;
    const std::string path = path_of(source.file, manifest_path);
    TRY_ASSIGN(const std::string bytes, read_module(name, path));
    const Digest digest = Digest::of(as_bytes(bytes));
    if (digest != *source.digest) {
      return fail(Errc::integrity, path + " has the digest " + digest.hex() +
                                       ", and the manifest pins the module " + name + " as " +
                                       source.digest->hex() + ": bring that file, or pin this one");
    }
    TRY(cache.put(digest, bytes));
    out.push_back({name, source.file, digest, ByteCount{bytes.size()}});
  }
  return out;
}

Result<std::vector<NamedModule>> fetch_modules(const manifests::ImageManifest& manifest,
                                               const manifests::Lock& lock,
                                               const std::string& manifest_path,
                                               const Cache& cache) {
  std::vector<NamedModule> out;
  for (const auto& [name, source] : manifest.module_sources) {
    if (!source.digest) continue;
    const auto locked =
        std::find_if(lock.modules.begin(), lock.modules.end(),
                     [&, &wanted = name](const auto& one) { return one.name == wanted; });
    if (locked == lock.modules.end() || locked->digest != *source.digest ||
        locked->file != source.file) {
      return fail(Errc::integrity,
                  "the lock does not have the manifest's file of module " + name + ": lock again");
    }
    TRY_ASSIGN(const std::string bytes, fetch(*locked, manifest_path, cache));
    out.push_back({name, source.file, images::content_of(bytes)});
  }
  return out;
}

}  // namespace weir::builder
