#include "images/store/folder/edge/folder_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>

#include "images/boot/oci.h"
#include "images/store/folder/edge/attachments.h"
#include "images/store/folder/edge/sweep.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/open_folder.h"
#include "manifests/base/edge/unfinished.h"
#include "manifests/documents/lock.h"

namespace weir::images {
namespace {

constexpr ByteCount kDocumentLimit{16 << 20};
constexpr ByteCount kLockLimit{64 << 20};
constexpr ByteCount kSignatureLimit{64 << 10};
constexpr std::size_t kPiece = std::size_t{64} << 10;

std::string blob_path(const std::string& store, const Digest& digest) {
  return store + "/blobs/sha256/" + digest.hex();
}

std::string release_folder(const std::string& store, const std::string& name) {
  return store + "/releases/" + name;
}

std::string unsigned_folder(const std::string& store, const ReleaseName& name) {
  return store + "/unsigned/" + name.string();
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

Result<std::set<std::string>> names_in(const std::string& path) {
  const OpenFolder dir = open_folder(path);
  if (!dir) return fail_errno(errno == ENOENT ? Errc::not_found : Errc::io, errno, path);
  std::set<std::string> out;
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) out.insert(entry->d_name);
  if (errno != 0) return fail_errno(Errc::io, errno, path);
  return out;
}

// The releases that have a document in this folder; none, where it is not there: another tool may
// have made the layout.
Result<std::vector<ReleaseName>> releases_in(const std::string& folder) {
  std::vector<ReleaseName> out;
  if (!exists(folder)) return out;
  TRY_ASSIGN(const auto names, names_in(folder));
  for (const std::string& text : names) {
    auto name = ReleaseName::parse(text);
    if (name && exists(folder + "/" + text + "/release.json")) out.push_back(std::move(*name));
  }
  return out;
}

// Waits for other writers of this store; the lock goes with the descriptor.
Result<Fd> lock_for_writing(const std::string& store) {
  Fd fd(::open(store.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno(Errc::io, errno, store);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno(Errc::io, errno, store + ": lock");
  }
  return fd;
}

bool holds(const std::string& path, std::string_view text) {
  const auto there = read_file(path, kDocumentLimit);
  return there && *there == text;
}

void remove_release_folder(const std::string& path) {
  for (const char* file : {"/release.json", "/release.json.minisig"}) {
    ::unlink((path + file).c_str());
  }
  ::rmdir(path.c_str());
}

// Document and signature appear together: the folder is made aside and renamed, or exchanged with
// the one that is there.
Status put_release_folder(const std::string& store, const std::string& name, std::string_view json,
                          std::string_view signature) {
  const std::string target = release_folder(store, name);
  TRY_ASSIGN(const Unfinished made, make_unfinished_folder(store + "/releases/.new"));
  const std::string& aside = made.path;
  Status wrote = write_file(aside + "/release.json", json, 0644, Durability::content);
  if (wrote) wrote = write_file(aside + "/release.json.minisig", signature);
  if (wrote && ::chmod(aside.c_str(), 0755) != 0) wrote = fail_errno(Errc::io, errno, aside);
  if (wrote) {
    const Uninterrupted whole;
    const unsigned flags = exists(target) ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    if (::renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, target.c_str(), flags) != 0) {
      wrote = fail_errno(Errc::io, errno, target);
    }
  }
  remove_release_folder(aside);
  TRY(wrote);
  return sync_folder(store + "/releases");
}

// Size only: a blob was hashed when it was written, and is hashed again whenever it is read.
Status check_present(const std::string& store, const manifests::Blob& blob, std::string_view what) {
  struct stat info {};
  if (::stat(blob_path(store, blob.digest).c_str(), &info) != 0) {
    return fail(Errc::not_found, std::string(what) + ": blob " + blob.digest.string() +
                                     " is not in the store " + store);
  }
  if (static_cast<std::uint64_t>(info.st_size) != blob.size.value) {
    return fail(Errc::integrity, std::string(what) + ": blob " + blob.digest.string() + " has " +
                                     std::to_string(info.st_size) + " bytes, not " +
                                     std::to_string(blob.size.value));
  }
  return {};
}

// Lock and image manifest of a release, where both are in the store and sound.
std::optional<ReleaseOrigin> origin_of(const Store& store, const manifests::Release& release) {
  const auto text = store.read_document(release.lock_digest, kLockLimit);
  if (!text) return std::nullopt;
  const auto lock = manifests::parse_lock(*text);
  if (!lock) return std::nullopt;
  const auto manifest = store.read_document(lock->manifest_digest, kDocumentLimit);
  if (!manifest) return std::nullopt;
  ReleaseOrigin out{{release.lock_digest, ByteCount{text->size()}},
                    {lock->manifest_digest, ByteCount{manifest->size()}}};
  for (const auto& program : lock->programs) {
    if (program.name.ends_with(".efi.stub") && store.has_blob(program.digest)) {
      out.stub = {program.digest, program.size};
    }
  }
  return out;
}

}  // namespace

Result<FolderStore> FolderStore::open(const std::string& path) {
  auto layout = read_file(path + "/oci-layout", ByteCount{4096});
  if (!layout && layout.error().code == Errc::not_found) {
    return fail(Errc::not_found,
                path +
                    ": no store here (a folder with the file oci-layout); weir-builder "
                    "build --store makes one");
  }
  TRY_IN(layout, "store");
  if (layout->find("\"imageLayoutVersion\"") == std::string::npos ||
      layout->find("\"1.0.") == std::string::npos) {
    return fail(Errc::invalid_input, path + "/oci-layout: not OCI image layout 1.0");
  }
  return FolderStore(path);
}

Result<FolderStore> FolderStore::open_or_create(const std::string& path) {
  if (exists(path + "/oci-layout")) {
    TRY_ASSIGN(FolderStore store, open(path));
    TRY(make_folders(path + "/blobs/sha256"));
    TRY(make_folders(path + "/releases"));
    return store;
  }
  if (exists(path)) {
    TRY_ASSIGN(const auto there, names_in(path));
    if (there.size() > 2 && !there.contains("blobs")) {
      return fail(Errc::invalid_input, path + ": a folder that is not a store and not empty");
    }
  }
  TRY(make_folders(path + "/blobs/sha256"));
  TRY(make_folders(path + "/releases"));
  TRY(write_file(path + "/oci-layout", kOciLayout));
  return FolderStore(path);
}

Result<std::vector<ReleaseName>> FolderStore::list() const {
  return releases_in(path_ + "/releases");
}

Result<StoredRelease> FolderStore::read_release(const ReleaseName& name) const {
  const std::string folder = release_folder(path_, name.string());
  auto json = read_file(folder + "/release.json", kDocumentLimit);
  if (!json && json.error().code == Errc::not_found) {
    if (exists(unsigned_folder(path_, name) + "/release.json")) {
      return fail(Errc::not_found, "release '" + name.string() + "' in the store " + path_ +
                                       " waits for its signature: weir-builder attach-signature");
    }
    TRY_ASSIGN(const auto names, list());
    std::string there;
    for (const ReleaseName& other : names) there += (there.empty() ? "" : ", ") + other.string();
    return fail(Errc::not_found,
                "no release '" + name.string() + "' in the store " + path_ +
                    (there.empty() ? " (it is empty)" : " (it has " + there + ")"));
  }
  TRY(json);
  TRY_ASSIGN(std::string signature,
             if_missing(read_file(folder + "/release.json.minisig", kSignatureLimit),
                        "without its signature it is no release: copy it from where it came from, "
                        "or build it again"));
  return StoredRelease{name, std::move(*json), std::move(signature)};
}

Status FolderStore::write_release(const ReleaseName& name, std::string_view json,
                                  std::string_view signature) {
  TRY_ASSIGN(const manifests::Release release, manifests::parse_release(json));
  if (release.name != name) {
    return fail(Errc::invalid_input, "the document of release '" + release.name.string() +
                                         "' cannot be stored as '" + name.string() + "'");
  }
  TRY(check_present(path_, release.kernel.image, "kernel"));
  for (const auto& layer : release.layers) {
    TRY(check_present(path_, layer.blob, "layer " + layer.name));
  }
  const auto put = [this](std::string_view text) -> Result<manifests::Blob> {
    const manifests::Blob blob{Digest::of(as_bytes(text)), ByteCount{text.size()}};
    TRY(write_blob(blob.digest, as_bytes(text)));
    return blob;
  };
  TRY_ASSIGN(const manifests::Blob document, put(json));
  TRY_ASSIGN(const manifests::Blob signed_by, put(signature));
  TRY_ASSIGN(const manifests::Blob manifest,
             put(print_oci_manifest(release, document, signed_by, origin_of(*this, release))));

  Fd lock;
  if (!held_.valid()) {
    TRY_ASSIGN(lock, lock_for_writing(path_));
  }
  sweep_store(path_);
  auto index = read_file(path_ + "/index.json", kDocumentLimit);
  if (!index && index.error().code != Errc::not_found) return tl::unexpected(index.error());
  TRY_ASSIGN_IN(const std::string updated,
                put_in_index(index ? std::string_view(*index) : std::string_view(), name, manifest),
                path_ + "/index.json");
  const std::string folder = release_folder(path_, name.string());
  if (index && *index == updated && holds(folder + "/release.json", json) &&
      holds(folder + "/release.json.minisig", signature)) {
    return {};
  }
  TRY(sync_blobs());
  TRY(write_file(path_ + "/index.json", updated));
  return put_release_folder(path_, name.string(), json, signature);
}

Status FolderStore::write_unsigned(const ReleaseName& name, std::string_view json) {
  TRY(sync_blobs());
  TRY(make_folders(unsigned_folder(path_, name)));
  return write_file(unsigned_folder(path_, name) + "/release.json", json);
}

Result<std::string> FolderStore::read_unsigned(const ReleaseName& name) const {
  return read_file(unsigned_folder(path_, name) + "/release.json", kDocumentLimit);
}

Result<std::vector<ReleaseName>> FolderStore::list_unsigned() const {
  return releases_in(path_ + "/unsigned");
}

void FolderStore::remove_unsigned(const ReleaseName& name) {
  ::unlink((unsigned_folder(path_, name) + "/release.json").c_str());
  tidy_unsigned(name);
}

void FolderStore::tidy_unsigned(const ReleaseName& name) {
  ::rmdir(unsigned_folder(path_, name).c_str());
}

Status FolderStore::keep_others_out() {
  if (held_.valid()) return {};
  TRY_ASSIGN(held_, lock_for_writing(path_));
  return {};
}

Result<std::string> FolderStore::attach(const Digest& subject, AttachmentKind kind,
                                        const Attachment& document) {
  return write_attachment(path_, subject, kind, document);
}

Result<Attached> FolderStore::attached(const Digest& subject, AttachmentKind kind) const {
  return read_attachments(path_, subject, kind);
}

bool FolderStore::has_blob(const Digest& digest) const {
  return exists(blob_path(path_, digest));
}

Result<bool> FolderStore::write_blob(const Digest& digest, Bytes bytes) {
  if (Digest::of(bytes) != digest) {
    return fail(Errc::bug, "blob " + digest.string() + " was to be written with other bytes");
  }
  const auto nothing = [](Bytes) -> Status { return {}; };
  if (has_blob(digest) && read_blob({digest, ByteCount{bytes.size()}}, nothing)) return false;
  TRY_IN(write_file(blob_path(path_, digest),
                    {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, 0644,
                    Durability::content),
         "store");
  return true;
}

Status FolderStore::sync_blobs() const {
  return sync_folder(path_ + "/blobs/sha256");
}

Status FolderStore::read_blob(const manifests::Blob& blob,
                              const std::function<Status(Bytes)>& sink) const {
  const std::string path = blob_path(path_, blob.digest);
  TRY_ASSIGN_IN(const Fd fd, open_file(path), "store " + path_ + ": blob " + blob.digest.string());
  const auto damaged = [&](const std::string& how) {
    return fail(Errc::integrity, "store " + path_ + ": blob " + blob.digest.string() + " " + how +
                                     ": the store is damaged, build or copy the release again");
  };
  Sha256 hash;
  std::uint64_t size = 0;
  std::vector<std::uint8_t> piece(kPiece);
  for (;;) {
    const ssize_t n = ::read(fd.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(Errc::io, errno, path);
    if (n == 0) break;
    const Bytes got(piece.data(), static_cast<std::size_t>(n));
    size += got.size();
    if (size > blob.size.value) break;
    hash.update(got);
    TRY(sink(got));
  }
  if (size != blob.size.value) {
    return damaged("has " + std::string(size > blob.size.value ? "more" : "fewer") + " than the " +
                   std::to_string(blob.size.value) + " bytes the release states");
  }
  const Digest found = std::move(hash).finish();
  if (found != blob.digest) return damaged("holds bytes with the digest " + found.string());
  return {};
}

Result<std::string> FolderStore::read_document(const Digest& digest, ByteCount limit) const {
  auto text = read_file(blob_path(path_, digest), limit);
  if (!text && text.error().code == Errc::not_found) {
    return fail(Errc::not_found, "store " + path_ + ": blob " + digest.string() + " is not there");
  }
  TRY(text);
  if (Digest::of(as_bytes(*text)) != digest) {
    return fail(Errc::integrity, "store " + path_ + ": blob " + digest.string() +
                                     " is damaged: build or copy the release again");
  }
  return text;
}

}  // namespace weir::images
