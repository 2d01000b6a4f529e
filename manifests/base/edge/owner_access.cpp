#include "manifests/base/edge/owner_access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace weir {
namespace {

constexpr mode_t kOwner = 0700;
constexpr mode_t kAll = 07777;

bool lacks(const struct stat& info, unsigned mode) {
  return info.st_uid == ::geteuid() && (mode & kOwner & ~info.st_mode) != 0;
}

mode_t granted(const struct stat& info, unsigned mode) {
  return (info.st_mode & kAll) | (mode & kOwner);
}

}  // namespace

int grant_to_owner(int fd, unsigned mode) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return errno;
  if (!lacks(info, mode)) return 0;
  return ::fchmod(fd, granted(info, mode)) == 0 ? 0 : errno;
}

int grant_to_owner(const std::string& path, unsigned mode) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return errno;
  if (!lacks(info, mode)) return 0;
  const int done = ::fchmodat(AT_FDCWD, path.c_str(), granted(info, mode), AT_SYMLINK_NOFOLLOW);
  return done == 0 ? 0 : errno;
}

}  // namespace weir
