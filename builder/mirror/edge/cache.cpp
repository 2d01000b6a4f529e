#include "builder/mirror/edge/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/unfinished.h"

namespace weir::builder {
namespace {

constexpr std::size_t kPiece = 256U << 10;

tl::unexpected<Error> damaged(const Cache& cache, const Digest& digest) {
  const std::string path = cache.blob_path(digest);
  ::unlink(path.c_str());
  return fail(Errc::integrity,
              path + ": the cached file was damaged and is removed; fetch it again");
}

// The blob's file, which has its size but is not hashed yet.
Result<Fd> open_blob(const Cache& cache, const Digest& digest, ByteCount size) {
  const std::string path = cache.blob_path(digest);
  auto opened = open_file_nofollow(path);
  if (!opened && opened.error().code == Errc::invalid_input) return damaged(cache, digest);
  TRY_ASSIGN(Fd fd, std::move(opened));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(Errc::io, errno, path);
  if (static_cast<std::uint64_t>(info.st_size) != size.value) {
    return damaged(cache, digest);
  }
  return fd;
}

// Returns how much was read, 0 at the end.
Result<std::size_t> read_piece(const Fd& fd, void* out, std::size_t room, std::uint64_t at,
                               const Digest& digest) {
  for (;;) {
    const ssize_t n = ::pread(fd.get(), out, room, static_cast<off_t>(at));
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return fail_errno(Errc::io, errno, "cached file " + digest.hex());
  }
}

}  // namespace

Result<Cache> Cache::open_or_create(const std::string& path) {
  TRY_IN(make_folders(path + "/blobs/sha256"), "cache");
  TRY_IN(make_folders(path + "/partial"), "cache");
  if (::access((path + "/partial").c_str(), W_OK) != 0) {
    return fail_errno(Errc::unauthorized, errno, "cache: cannot write " + path);
  }
  for (const char* folder : {"", "/partial"}) sweep_unfinished(path + folder);
  return Cache(path);
}

Result<Cache> Cache::open_for_plan(const std::string& path) {
  TRY_IN(check_folders(path + "/blobs/sha256"), "cache");
  TRY_IN(check_folders(path + "/partial"), "cache");
  return Cache(path);
}

Result<std::string> Cache::default_path() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (const auto folder = variable("XDG_CACHE_HOME"); folder.starts_with('/')) {
    return folder + "/weir";
  }
  if (const auto home = variable("HOME"); home.starts_with('/')) return home + "/.cache/weir";
  return fail(Errc::not_found, "neither XDG_CACHE_HOME nor HOME is set: say a folder with --cache");
}

std::string Cache::blob_path(const Digest& digest) const {
  return path_ + "/blobs/sha256/" + digest.hex();
}

std::string Cache::partial_path(const Digest& digest) const {
  return path_ + "/partial/" + digest.hex();
}

Status Cache::put(const Digest& digest, std::string_view bytes) const {
  if (Digest::of(as_bytes(bytes)) != digest) {
    return fail(Errc::bug, "cache: bytes do not have the digest " + digest.hex());
  }
  return write_file(blob_path(digest), bytes);
}

Result<FetchedBlob> FetchedBlob::open(const Cache& cache, const Digest& digest, ByteCount size) {
  TRY_ASSIGN(Fd fd, open_blob(cache, digest, size));
  std::vector<std::uint8_t> piece(kPiece);
  Sha256 hash;
  for (std::uint64_t at = 0; at < size.value;) {
    TRY_ASSIGN(const std::size_t n, read_piece(fd, piece.data(), piece.size(), at, digest));
    if (n == 0) break;
    hash.update({piece.data(), n});
    at += n;
  }
  if (std::move(hash).finish() != digest) return damaged(cache, digest);
  return FetchedBlob(std::move(fd), digest, size);
}

Result<std::string> read_blob(const Cache& cache, const Digest& digest, ByteCount size) {
  TRY_ASSIGN(const Fd fd, open_blob(cache, digest, size));
  std::string out(size.value, '\0');
  Sha256 hash;
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t room = std::min(kPiece, out.size() - at);
    TRY_ASSIGN(const std::size_t n, read_piece(fd, out.data() + at, room, at, digest));
    if (n == 0) break;
    hash.update(as_bytes(std::string_view(out).substr(at, n)));
    at += n;
  }
  if (std::move(hash).finish() != digest) return damaged(cache, digest);
  return out;
}

Result<std::string> FetchedBlob::read() const {
  std::string out(size_.value, '\0');
  std::size_t done = 0;
  while (done < out.size()) {
    TRY_ASSIGN(const std::size_t n,
               read_piece(fd_, out.data() + done, out.size() - done, done, digest_));
    if (n == 0) return fail_errno(Errc::io, EIO, "cached file " + digest_.hex());
    done += n;
  }
  return out;
}

}  // namespace weir::builder
