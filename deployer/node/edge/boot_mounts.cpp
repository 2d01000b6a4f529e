#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "deployer/node/edge/boot.h"
#include "deployer/node/edge/carry_over.h"
#include "manifests/base/edge/fd.h"

namespace weir::node {
namespace {

struct Mount {
  const char* type;
  const char* where;
  unsigned long flags;
  const char* options;
};

constexpr unsigned long kPlain = MS_NOSUID | MS_NODEV | MS_NOEXEC;

constexpr Mount kMounts[] = {
    {"proc", "/proc", kPlain, nullptr},
    {"sysfs", "/sys", kPlain, nullptr},
    {"devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755"},
    {"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666"},
    {"tmpfs", "/run", kPlain, "mode=0755,size=16m"},
    {"tmpfs", "/tmp", kPlain, "mode=1777,size=64m"},
};

void open_console() {
  const int console = ::open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (console < 0) return;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(console, stream);
  if (console > STDERR_FILENO) ::close(console);
}

}  // namespace

void mount_all(const NodeLog& log) {
  std::string failures, carried;
  for (const Mount& mount : kMounts) {
    ::mkdir(mount.where, 0755);
    // Of what an image has below its mounts, that of an empty one is made again in it.
    const bool empty = std::string_view(mount.type) == "tmpfs";
    const Fd below(empty ? ::open(mount.where, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
    if (::mount(mount.type, mount.where, mount.type, mount.flags, mount.options) != 0 &&
        errno != EBUSY) {
      failures += (failures.empty() ? "" : ", ") + std::string(mount.where) + " (" +
                  std::strerror(errno) + ")";
      continue;
    }
    if (!below.valid()) continue;
    const auto made = carry_over(below.get(), mount.where);
    if (!made) {
      carried += (carried.empty() ? "" : ", ") + made.error().message;
    } else if (*made != 0) {
      carried += (carried.empty() ? "" : ", ") + std::to_string(*made) + " in " + mount.where;
    }
  }
  open_console();
  ::mkdir("/run/weir", 0700);
  if (!carried.empty()) log.say("made what the image has below its mounts: " + carried);
  if (!failures.empty()) log.say("could not mount " + failures);
}

}  // namespace weir::node
