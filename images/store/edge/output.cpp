#include "images/store/edge/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/paths.h"

namespace weir::images {
namespace {

Errc code_of(int sys) {
  return sys == ENOSPC || sys == EDQUOT ? Errc::exhausted : Errc::io;
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

int sync_folder(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.valid() && ::fsync(fd.get()) == 0 ? 0 : errno;
}

int write_at(int fd, std::uint64_t offset, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    offset += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

int fill(int fd, const SparseFile& file) {
  if (::ftruncate(fd, static_cast<off_t>(file.size.value)) != 0) return errno;
  for (const Extent& extent : file.extents) {
    if (const int sys = write_at(fd, extent.offset, *extent.bytes)) return sys;
  }
  return ::fchmod(fd, 0644) == 0 && ::fsync(fd) == 0 ? 0 : errno;
}

}  // namespace

Result<Unfinished> write_unfinished_sparse_file(const std::string& path, const SparseFile& file) {
  TRY_ASSIGN(Unfinished made, make_unfinished_file(path));
  const int sys = fill(made.fd.get(), file);
  if (sys == 0) return made;
  ::unlink(made.path.c_str());
  return fail_errno(code_of(sys), sys, path);
}

Status write_sparse_file(const std::string& path, const SparseFile& file) {
  TRY_ASSIGN(const Unfinished made, write_unfinished_sparse_file(path, file));
  if (const int sys = finish_unfinished(made, path)) {
    ::unlink(made.path.c_str());
    return fail_errno(code_of(sys), sys, path);
  }
  if (const int synced = sync_folder(folder_of(path))) {
    return fail_errno(Errc::io, synced, folder_of(path));
  }
  return {};
}

Status OutputFolder::check(const std::string& given) {
  const std::string path = without_slashes(given);
  std::error_code problem;
  const auto status = std::filesystem::symlink_status(path, problem);
  if (std::filesystem::exists(status) &&
      !(std::filesystem::is_directory(status) && std::filesystem::is_empty(path, problem))) {
    return fail(Errc::invalid_input,
                path + ": is there already: remove it, or name a folder that is not");
  }
  return check_folder_of(path);
}

Result<OutputFolder> OutputFolder::begin(const std::string& given) {
  TRY(check(given));
  const std::string path = without_slashes(given);
  TRY_ASSIGN(Unfinished aside, make_unfinished_folder(path));
  OutputFolder out(path, std::move(aside));
  if (::chmod(out.aside().c_str(), 0755) != 0) return fail_errno(Errc::io, errno, out.aside());
  return out;
}

OutputFolder::OutputFolder(OutputFolder&& other) noexcept
    : path_(std::move(other.path_)), aside_(std::exchange(other.aside_, {})) {}

OutputFolder::~OutputFolder() {
  if (aside_.path.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(aside_.path, ignored);
}

Status OutputFolder::finish() {
  if (const int sys = sync_folder(aside())) return fail_errno(Errc::io, sys, aside());
  // Takes the place of nothing, or of an empty folder.
  if (const int sys = finish_unfinished(aside_, path_)) return fail_errno(Errc::io, sys, path_);
  aside_ = {};
  if (const int sys = sync_folder(folder_of(path_))) {
    return fail_errno(Errc::io, sys, folder_of(path_));
  }
  return {};
}

}  // namespace weir::images
