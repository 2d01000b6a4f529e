#include "builder/dkms/edge/build_root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace weir::builder {
namespace {

int write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

// 0 or an errno. What was there, a file or a link, goes first.
int write_entry(int folder, const std::string& name, const images::Node& node) {
  if (node.is_folder()) {
    return ::mkdirat(folder, name.c_str(), 0755) == 0 || errno == EEXIST ? 0 : errno;
  }
  if (::unlinkat(folder, name.c_str(), 0) != 0 && errno != ENOENT) return errno;
  if (const auto* link = node.symlink()) {
    return ::symlinkat(link->target.c_str(), folder, name.c_str()) == 0 ? 0 : errno;
  }
  const Fd file(
      ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return errno;
  if (const int sys = write_all(file.get(), *node.file()->content)) return sys;
  // The owner reads everything.
  if (::fchmod(file.get(), (node.mode & 0777) | 0600) != 0) return errno;
  // make(1) goes by it.
  const timespec time{static_cast<time_t>(node.mtime), 0};
  const std::array<timespec, 2> times = {time, time};
  return ::futimens(file.get(), times.data()) == 0 ? 0 : errno;
}

}  // namespace

Result<BuildRoot> BuildRoot::open(const std::string& folder) {
  Fd root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return fail_file(folder, errno);
  return BuildRoot(folder, std::move(root));
}

Result<Fd> BuildRoot::open_parent(const std::string& folder) const {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  const std::string place = folder.empty() ? "." : folder;
  Fd fd(static_cast<int>(::syscall(SYS_openat2, root_.get(), place.c_str(), &how, sizeof how)));
  if (fd.valid()) return fd;
  if (errno == ENOSYS) {
    return fail_errno(Errc::kernel, errno, "this kernel has no openat2(2): take 5.6 or newer");
  }
  return fail_file(path_ + "/" + folder, errno);
}

Status BuildRoot::write_node(int folder, const images::ImagePath& path,
                             const images::Node& node) const {
  const int sys = write_entry(folder, std::string(path.name()), node);
  if (sys == 0) return {};
  return fail_file(path_ + "/" + path.string(), sys);
}

Status BuildRoot::write(const images::FileTree& tree) const {
  std::string opened;
  Fd parent;
  for (const auto& [path, node] : tree.nodes()) {
    if (path.is_root() || node.device() != nullptr || node.is_fifo()) continue;
    const std::string folder = path.parent().string();
    if (!parent.valid() || folder != opened) {
      TRY_ASSIGN(parent, open_parent(folder));
      opened = folder;
    }
    TRY(write_node(parent.get(), path, node));
  }
  return {};
}

}  // namespace weir::builder
