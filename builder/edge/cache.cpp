#include "builder/edge/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

namespace weir::builder {

Result<Cache> Cache::open_or_create(const std::string& path) {
  TRY_IN(make_folders(path + "/blobs/sha256"), "cache");
  TRY_IN(make_folders(path + "/partial"), "cache");
  if (::access((path + "/partial").c_str(), W_OK) != 0) {
    return fail_errno(Errc::unauthorized, errno, "cache: cannot write " + path);
  }
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
  const std::string path = cache.blob_path(digest);
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) {
    return fail_errno(errno == ENOENT ? Errc::not_found : Errc::io, errno, path);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(Errc::io, errno, path);
  bool sound = S_ISREG(info.st_mode) && static_cast<std::uint64_t>(info.st_size) == size.value;
  Sha256 hash;
  std::vector<std::uint8_t> piece(1 << 18);
  off_t at = 0;
  while (sound && at < info.st_size) {
    const ssize_t n = ::pread(fd.get(), piece.data(), piece.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(Errc::io, errno, path);
    if (n == 0) break;
    hash.update({piece.data(), static_cast<std::size_t>(n)});
    at += n;
  }
  if (!sound || std::move(hash).finish() != digest) {
    ::unlink(path.c_str());
    return fail(Errc::integrity,
                path + ": the cached file was damaged and is removed; fetch it again");
  }
  return FetchedBlob(std::move(fd), digest, size);
}

Result<std::string> FetchedBlob::read() const {
  std::string out(size_.value, '\0');
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail_errno(Errc::io, n < 0 ? errno : EIO, "cached file " + digest_.hex());
    done += static_cast<std::size_t>(n);
  }
  return out;
}

}  // namespace weir::builder
