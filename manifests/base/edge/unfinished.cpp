#include "manifests/base/edge/unfinished.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "manifests/base/edge/open_folder.h"
#include "manifests/base/edge/owner_access.h"

namespace weir {
namespace {

constexpr std::string_view kMark = ".unfinished.", kRandom = "XXXXXX";
constexpr int kAttempts = 100;
constexpr std::chrono::seconds kRemoval{2};

// What this process has begun.
struct Begun {
  std::recursive_mutex guard;
  std::set<std::string> paths;
};

// Never destroyed: threads may outlive `main`.
Begun& begun() {
  static Begun& all = *new Begun;
  return all;
}

// The folder of a path, and the name in it.
std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

enum class Owner : std::uint8_t { any, this_user };

// Removes it if no process has it locked. A file is looked at by its descriptor, so what another
// process puts under the name meanwhile is not what is judged; that names are random keeps it from
// being removed.
void remove_if_abandoned(const std::string& path, Owner owner) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return;
  if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return;
  if (owner == Owner::this_user && info.st_uid != ::geteuid()) return;
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return;
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

// Removes what is abandoned of all that was begun for `name`; an empty one: for anything.
void sweep(const std::string& folder, const std::string& name) {
  const OpenFolder listing = open_folder(folder);
  while (const dirent* entry = listing ? ::readdir(listing.get()) : nullptr) {
    const std::string_view found = entry->d_name;
    if (found.size() < kMark.size() + kRandom.size()) continue;
    const auto until = found.size() - kMark.size() - kRandom.size();
    if (found.substr(until, kMark.size()) != kMark) continue;
    if (!name.empty() && found.substr(0, until) != name) continue;
    remove_if_abandoned((folder + "/").append(found), name.empty() ? Owner::this_user : Owner::any);
  }
}

// False: a sweeper came between making and locking it, and removes it.
bool held(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    // A file system without locks has no sweepers either.
    return errno != EWOULDBLOCK;
  }
  struct stat info {};
  return ::fstat(fd, &info) == 0 && info.st_nlink > 0;
}

template <class Make>
Result<Unfinished> make_unfinished(const std::string& path, Make make) {
  const auto [folder, name] = split(path);
  sweep(folder, name);
  for (int i = 0; i < kAttempts; ++i) {
    const Uninterrupted whole;
    Unfinished out;
    out.path = path + std::string(kMark) + std::string(kRandom);
    out.fd = make(out.path);
    if (!out.fd.valid()) return fail_file(path, errno);
    if (!held(out.fd.get())) continue;
    begun().paths.insert(out.path);
    return out;
  }
  return fail(Errc::busy, path + ": another process removes every file that is begun for it");
}

}  // namespace

Result<Unfinished> make_unfinished_file(const std::string& path) {
  return make_unfinished(path, [](std::string& name) {
    Fd fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd.valid()) return fd;
    if (const int sys = grant_to_owner(fd.get(), 0600)) {
      ::unlink(name.c_str());
      errno = sys;
      return Fd();
    }
    return fd;
  });
}

Result<Unfinished> make_unfinished_folder(const std::string& path) {
  return make_unfinished(path, [](std::string& name) {
    if (::mkdtemp(name.data()) == nullptr) return Fd();
    int sys = grant_to_owner(name, 0700);
    Fd fd(sys == 0 ? ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1);
    if (!fd.valid()) {
      if (sys == 0) sys = errno;
      ::rmdir(name.c_str());
      errno = sys;
    }
    return fd;
  });
}

Result<Unfinished> write_unfinished_file(const std::string& path, std::string_view content,
                                         unsigned mode, Durability durability) {
  TRY_ASSIGN(Unfinished made, make_unfinished_file(path));
  int sys = write_all(made.fd.get(), content);
  if (sys == 0 && ::fchmod(made.fd.get(), mode) != 0) sys = errno;
  if (sys == 0 && durability != Durability::none && ::fsync(made.fd.get()) != 0) sys = errno;
  if (sys == 0) return made;
  ::unlink(made.path.c_str());
  return fail_file(path, sys);
}

int finish_unfinished(const Unfinished& made, const std::string& path) {
  const Uninterrupted whole;
  if (::rename(made.path.c_str(), path.c_str()) != 0) return errno;
  begun().paths.erase(made.path);
  return 0;
}

int exchange_unfinished(const Unfinished& made, const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return EISDIR;
  const int done =
      ::renameat2(AT_FDCWD, made.path.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE);
  return done == 0 ? 0 : errno;
}

int withdraw_to_unfinished(const Unfinished& made, const std::string& path) {
  return ::rename(path.c_str(), made.path.c_str()) == 0 ? 0 : errno;
}

void sweep_unfinished(const std::string& folder) {
  sweep(folder, "");
}

void remove_begun() {
  begun().guard.lock();
  // A program that this one started may be putting something into a folder of ours. Again at once:
  // each pause would let it put in more than the next pass has to take.
  const auto end = std::chrono::steady_clock::now() + kRemoval;
  do {
    bool gone = true;
    for (const std::string& path : begun().paths) {
      std::error_code problem;
      std::filesystem::remove_all(path, problem);
      gone = gone && !problem;
    }
    if (gone) return;
  } while (std::chrono::steady_clock::now() < end);
}

Uninterrupted::Uninterrupted() : hold_(begun().guard) {}

}  // namespace weir
