#include "deployer/node/edge/carry_over.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <string_view>
#include <vector>

#include "manifests/base/edge/fd.h"
#include "manifests/base/edge/open_folder.h"

namespace weir::node {
namespace {

constexpr int kDepth = 64;  ///< as deep as a path of an image

Result<std::vector<std::string>> names_in(int folder, const std::string& path) {
  // A descriptor of its own, since the list closes it.
  const int again = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return fail_errno(Errc::io, errno, path);
  const OpenFolder list(::fdopendir(again));
  if (!list) {
    const int sys = errno;
    ::close(again);
    return fail_errno(Errc::io, sys, path);
  }
  std::vector<std::string> out;
  while (const dirent* entry = ::readdir(list.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") out.emplace_back(name);
  }
  return out;
}

class CarryOver {
 public:
  std::size_t made = 0;

  // NOLINTNEXTLINE(misc-no-recursion): as deep as a path
  Status folder(int from, int to, const std::string& path, int depth) {
    TRY_ASSIGN(const auto names, names_in(from, path));
    for (const std::string& name : names) {
      const std::string place = path + "/" + name;
      struct stat there {};
      if (::fstatat(from, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) {
        return fail_errno(Errc::io, errno, place);
      }
      TRY(entry(from, to, name, there, place));
      if (!S_ISDIR(there.st_mode)) continue;
      if (depth == 0) return fail(Errc::exhausted, place + ": too deep");
      const Fd below(::openat(from, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      const Fd above(::openat(to, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!below.valid() || !above.valid()) return fail_errno(Errc::io, errno, place);
      TRY(folder(below.get(), above.get(), place, depth - 1));
    }
    return {};
  }

 private:
  Status entry(int from, int to, const std::string& name, const struct stat& there,
               const std::string& place) {
    const auto checked = [&](bool good) -> Status {
      if (good) return {};
      return fail_errno(Errc::io, errno, place);
    };
    int done = -1;
    if (S_ISDIR(there.st_mode)) {
      done = ::mkdirat(to, name.c_str(), 0700);
    } else if (S_ISLNK(there.st_mode)) {
      std::array<char, PATH_MAX> target{};
      const auto size = ::readlinkat(from, name.c_str(), target.data(), target.size() - 1);
      TRY(checked(size >= 0));
      done = ::symlinkat(target.data(), to, name.c_str());
    } else if (S_ISREG(there.st_mode)) {
      const Fd in(::openat(from, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
      TRY(checked(in.valid()));
      const Fd out(::openat(to, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      if (!out.valid() && errno == EEXIST) return {};
      TRY(checked(out.valid()));
      for (off_t at = 0; at < there.st_size;) {
        const auto sent =
            ::sendfile(out.get(), in.get(), &at, static_cast<std::size_t>(there.st_size - at));
        TRY(checked(sent > 0));
      }
      done = 0;
    } else {
      return {};
    }
    if (done != 0 && errno == EEXIST) return {};
    TRY(checked(done == 0));
    TRY(checked(::fchownat(to, name.c_str(), there.st_uid, there.st_gid, AT_SYMLINK_NOFOLLOW) ==
                0));
    if (!S_ISLNK(there.st_mode)) {
      TRY(checked(::fchmodat(to, name.c_str(), there.st_mode & 07777U, 0) == 0));
    }
    ++made;
    return {};
  }
};

}  // namespace

Result<std::size_t> carry_over(int from, const std::string& to) {
  const Fd above(::open(to.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!above.valid()) return fail_errno(Errc::io, errno, to);
  CarryOver work;
  TRY(work.folder(from, above.get(), to, kDepth));
  return work.made;
}

}  // namespace weir::node
