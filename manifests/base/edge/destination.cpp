#include "manifests/base/edge/destination.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace weir {
namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
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
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail_errno(Errc::unauthorized, errno, folder);
  }
  return {};
}

Status check_folders(const std::string& path) {
  for (std::string at = path;; at = folder_of(at)) {
    struct stat info {};
    if (::stat(at.c_str(), &info) == 0) {
      if (!S_ISDIR(info.st_mode)) {
        return fail(Errc::invalid_input, path + ": " + at + " is not a folder");
      }
      if (::access(at.c_str(), W_OK | X_OK) == 0) return {};
      return fail_errno(Errc::unauthorized, errno, at);
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
