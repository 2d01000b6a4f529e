#include "images/store/edge/signatures.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "manifests/base/edge/file.h"

namespace weir::images {
namespace {

constexpr ByteCount kDocumentLimit{16 << 20};
constexpr ByteCount kSignatureLimit{64 << 10};
constexpr std::size_t kMost = 64;
constexpr std::string_view kEnding = ".minisig";

std::string folder_of(const Store& store, const Digest& release) {
  return store.path() + "/signatures/" + release.hex();
}

std::string unsigned_folder(const Store& store, const ReleaseName& name) {
  return store.path() + "/unsigned/" + name.string();
}

}  // namespace

Result<std::vector<std::string>> read_signatures(const Store& store, const StoredRelease& release) {
  const std::string folder = folder_of(store, Digest::of(as_bytes(release.json)));
  std::set<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.ends_with(kEnding)) continue;
    if (names.size() + 1 >= kMost) {
      return fail(Errc::exhausted,
                  folder + ": a release has at most " + std::to_string(kMost) + " signatures");
    }
    names.insert(name);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail_errno(Errc::io, error.value(), folder);
  }
  std::vector<std::string> out{release.signature};
  for (const std::string& name : names) {
    TRY_ASSIGN(std::string text, read_file(folder + "/" + name, kSignatureLimit));
    out.push_back(std::move(text));
  }
  return out;
}

Status add_signature(const Store& store, const Digest& release, std::string_view by,
                     std::string_view signature) {
  const std::string folder = folder_of(store, release);
  TRY(make_folders(folder));
  const std::string path = folder + "/" + std::string(by) + std::string(kEnding);
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    return fail(Errc::busy, "key " + std::string(by) + " has signed this release already");
  }
  return write_file(path, signature);
}

Status write_unsigned(const Store& store, const ReleaseName& name, std::string_view json) {
  TRY(store.sync_blobs());
  TRY(make_folders(unsigned_folder(store, name)));
  return write_file(unsigned_folder(store, name) + "/release.json", json);
}

Result<std::string> read_unsigned(const Store& store, const ReleaseName& name) {
  return read_file(unsigned_folder(store, name) + "/release.json", kDocumentLimit);
}

Result<std::string> unsigned_or_stored(const Store& store, const ReleaseName& name) {
  auto waiting = read_unsigned(store, name);
  if (waiting || waiting.error().code != Errc::not_found) return waiting;
  TRY_ASSIGN(auto stored, store.read_release(name));
  return std::move(stored.json);
}

void remove_unsigned(const Store& store, const ReleaseName& name) {
  ::unlink((unsigned_folder(store, name) + "/release.json").c_str());
  remove_empty_unsigned(store, name);
}

void remove_empty_unsigned(const Store& store, const ReleaseName& name) {
  ::rmdir(unsigned_folder(store, name).c_str());
}

}  // namespace weir::images
