#include "manifests/base/edge/lock_wait.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace weir {
namespace {

constexpr std::chrono::milliseconds kAskAgain{50};
constexpr std::chrono::seconds kUntilTold{2};

}  // namespace

Status wait_for_lock(const Fd& file, const std::string& path, const Waiting& waiting) {
  const auto begin = std::chrono::steady_clock::now();
  bool told = false;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return fail_errno(Errc::io, errno, path);
    if (waiting.interrupted && waiting.interrupted()) {
      return fail(Errc::busy, path + ": interrupted while another process has it locked");
    }
    if (!told && std::chrono::steady_clock::now() - begin >= kUntilTold) {
      told = true;
      if (waiting.say) waiting.say("waits for " + path + ", which another process has locked");
    }
    std::this_thread::sleep_for(kAskAgain);
  }
  return {};
}

Result<Fd> lock_to_replace(const std::string& path, const Waiting& waiting) {
  for (;;) {
    TRY_ASSIGN(Fd file, open_file(path));
    TRY(wait_for_lock(file, path, waiting));
    // Whoever had it may have put another file there.
    struct stat locked {
    }, there{};
    if (::fstat(file.get(), &locked) != 0) return fail_errno(Errc::io, errno, path);
    if (::stat(path.c_str(), &there) == 0 && there.st_dev == locked.st_dev &&
        there.st_ino == locked.st_ino) {
      return file;
    }
  }
}

}  // namespace weir
