#include "manifests/base/edge/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "manifests/base/edge/owner_access.h"
#include "manifests/base/edge/unfinished.h"
#include "manifests/base/paths.h"

namespace weir {

tl::unexpected<Error> fail_file(const std::string& path, int sys) {
  const Errc code = sys == ENOENT                    ? Errc::not_found
                    : sys == ENOSPC || sys == EDQUOT ? Errc::exhausted
                    : sys == EACCES || sys == EPERM  ? Errc::unauthorized
                                                     : Errc::io;
  return fail_errno(code, sys, path);
}

namespace {

tl::unexpected<Error> not_a_file(const std::string& path, mode_t mode) {
  const char* what = S_ISFIFO(mode) ? "a pipe, such as a shell makes of <(...): write it to a file"
                     : S_ISSOCK(mode)                 ? "a socket, not a file"
                     : S_ISDIR(mode)                  ? "a folder, not a file"
                     : S_ISCHR(mode) || S_ISBLK(mode) ? "a device, not a file"
                                                      : "not a file";
  return fail(Errc::invalid_input, path + ": is " + what);
}

Result<Fd> open_regular(const std::string& path, int flags, unsigned mode = 0) {
  // Without O_NONBLOCK a pipe with nobody at its other end would hold us for ever.
  Fd fd(::open(path.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode));
  struct stat info {};
  if (!fd.valid()) {
    const int sys = errno;
    // open() does not tell what cannot be opened from what failed.
    if (sys == ENXIO && ::stat(path.c_str(), &info) == 0) return not_a_file(path, info.st_mode);
    return fail_file(path, sys);
  }
  if (::fstat(fd.get(), &info) != 0) return fail_file(path, errno);
  if (!S_ISREG(info.st_mode)) return not_a_file(path, info.st_mode);
  if ((flags & O_CREAT) != 0) {
    if (const int sys = grant_to_owner(fd.get(), mode)) return fail_file(path, sys);
  }
  return fd;
}

/// What an open file says it holds from where it is read next; 0: it does not say.
off_t size_left(const Fd& fd) {
  struct stat info {};
  const off_t at = ::lseek(fd.get(), 0, SEEK_CUR);
  return at >= 0 && ::fstat(fd.get(), &info) == 0 ? info.st_size - at : 0;
}

// Into the memory that is returned, so that there is no second copy of it.
Result<std::string> read_in_place(const Fd& fd, const std::string& path, ByteCount limit) {
  std::string out(limit.value + 1, '\0');
  std::size_t have = 0;
  const auto refused = [&](tl::unexpected<Error> why) {
    ::explicit_bzero(out.data(), have);
    return why;
  };
  while (have < out.size()) {
    const ssize_t n = ::read(fd.get(), out.data() + have, out.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return refused(fail_file(path, errno));
    if (n == 0) {
      out.resize(have);
      return out;
    }
    have += static_cast<std::size_t>(n);
  }
  return refused(fail(Errc::exhausted, path + ": larger than " + print(limit)));
}

}  // namespace

Result<Fd> open_file(const std::string& path) {
  return open_regular(path, O_RDONLY);
}

Result<Fd> open_file_nofollow(const std::string& path) {
  return open_regular(path, O_RDONLY | O_NOFOLLOW);
}

Status check_secret_file(const Fd& file, const std::string& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_file(path, errno);
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return fail(Errc::unauthorized,
                path + ": holds a secret and belongs to user " + std::to_string(info.st_uid) +
                    ", who could change it: chown it to user " + std::to_string(::geteuid()));
  }
  if ((info.st_mode & 077) != 0) {
    return fail(Errc::unauthorized,
                path +
                    ": holds a secret in clear that others may read: chmod 600 it, and replace "
                    "the secret if anyone could have");
  }
  return {};
}

Result<Fd> open_log_file(const std::string& path, Existing existing, unsigned mode) {
  return open_regular(
      path, O_WRONLY | O_CREAT | O_APPEND | (existing == Existing::emptied ? O_TRUNC : 0), mode);
}

Result<std::string> read_file(const std::string& path, ByteCount limit) {
  TRY_ASSIGN(const Fd fd, open_file(path));
  return read_file(fd, path, limit);
}

Result<std::string> read_file(const Fd& file, const std::string& path, ByteCount limit) {
  std::string out;
  std::array<char, 65536> piece{};
  // Of a small file the reading tells, and rightly: sysfs says a page of every file.
  if (const off_t size = size_left(file);
      size > static_cast<off_t>(piece.size()) && static_cast<std::uint64_t>(size) > limit.value) {
    return fail(Errc::exhausted, path + ": larger than " + print(limit));
  }
  for (;;) {
    const ssize_t n = ::read(file.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_file(path, errno);
    if (n == 0) return out;
    if (out.size() + static_cast<std::size_t>(n) > limit.value) {
      return fail(Errc::exhausted, path + ": larger than " + print(limit));
    }
    out.append(piece.data(), static_cast<std::size_t>(n));
  }
}

Result<std::string> read_secret_file(const std::string& path, ByteCount limit) {
  TRY_ASSIGN(const Fd fd, open_file(path));
  TRY(check_secret_file(fd, path));
  return read_in_place(fd, path, limit);
}

Status write_file(const std::string& path, std::string_view content, unsigned mode,
                  Durability durability) {
  TRY_ASSIGN(const Unfinished made, write_unfinished_file(path, content, mode, durability));
  if (const int sys = finish_unfinished(made, path)) {
    ::unlink(made.path.c_str());
    return fail_file(path, sys);
  }
  return durability == Durability::whole ? sync_folder(folder_of(path)) : Status();
}

Status sync_folder(const std::string& path) {
  const Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || ::fsync(folder.get()) != 0) return fail_file(path, errno);
  return {};
}

Status make_folders(const std::string& path, unsigned mode) {
  // Whoever removes an unfinished folder, because this process ends, would have it back, empty.
  const Uninterrupted whole;
  const auto make = [&] {
    if (::mkdir(path.c_str(), mode) != 0) return errno;
    return grant_to_owner(path, mode);
  };
  int sys = make();
  if (sys == 0) return {};
  if (sys == EEXIST) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    return fail_file(path, ENOTDIR);
  }
  if (sys != ENOENT || folder_of(path) == path) return fail_file(path, sys);
  TRY(make_folders(folder_of(path), mode));
  sys = make();
  if (sys != 0 && sys != EEXIST) return fail_file(path, sys);
  return {};
}

Result<Fd> lock_file(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return fail(Errc::invalid_input, path + ": is no file: remove it, and it is made again");
  }
  TRY_ASSIGN(Fd fd, open_regular(path, O_RDWR | O_CREAT, 0600));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_file(path, errno);
    std::array<char, 32> holder{};
    const ssize_t n = ::pread(fd.get(), holder.data(), holder.size() - 1, 0);
    return fail(Errc::busy, path + ": held by process " +
                                (n > 0 ? std::string(holder.data()) : std::string("(unknown)")));
  }
  const std::string self = std::to_string(::getpid());
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), self.data(), self.size(), 0) < 0) {
    return fail_file(path, errno);
  }
  return fd;
}

}  // namespace weir
