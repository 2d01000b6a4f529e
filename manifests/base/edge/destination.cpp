#include "manifests/base/edge/destination.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "manifests/base/paths.h"

namespace weir {
namespace {

/// Kernel file systems: root passes every `access` there, and nothing can be stored.
bool stores_nothing(const std::string& folder) {
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return false;
  switch (static_cast<std::uint32_t>(info.f_type)) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case DEVPTS_SUPER_MAGIC:
      return true;
    default:
      return false;
  }
}

/// Whether something new can be put into a folder that is there.
Status check_writable(const std::string& folder) {
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail_errno(Errc::unauthorized, errno, folder);
  }
  if (stores_nothing(folder)) {
    return fail(Errc::invalid_input,
                folder +
                    ": belongs to a file system of the kernel, which stores nothing: name a "
                    "place on a disk");
  }
  return {};
}

}  // namespace

Status check_folder_of(const std::string& path) {
  const std::string folder = folder_of(path);
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) {
    if (errno == ENOENT) {
      return fail(Errc::not_found, path + ": there is no folder " + folder + ": make it first");
    }
    return fail_errno(Errc::io, errno, folder);
  }
  if (!S_ISDIR(info.st_mode)) {
    return fail(Errc::invalid_input, path + ": " + folder + " is not a folder");
  }
  return check_writable(folder);
}

Status check_folders(const std::string& path) {
  for (std::string at = path;; at = folder_of(at)) {
    struct stat info {};
    if (::stat(at.c_str(), &info) == 0) {
      if (!S_ISDIR(info.st_mode)) {
        return fail(Errc::invalid_input, path + ": " + at + " is not a folder");
      }
      return check_writable(at);
    }
    // Where not even "/" or "." can be looked at, nothing further up can.
    if ((errno != ENOENT && errno != ENOTDIR) || at == "/" || at == ".") {
      return fail_errno(Errc::io, errno, at);
    }
  }
}

Status check_destination(const std::string& path) {
  struct stat info {};
  if (path.ends_with('/') || (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))) {
    return fail(Errc::invalid_input,
                path + ": is not a file that could be replaced: name another one");
  }
  return check_folder_of(path);
}

}  // namespace weir
