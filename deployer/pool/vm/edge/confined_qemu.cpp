#include "deployer/pool/vm/edge/confined_qemu.h"

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weir::pool {
namespace {

// What lets such a user open /dev/kvm: its own group, where it may read and write.
std::vector<gid_t> kvm_groups() {
  struct stat info {};
  if (::stat("/dev/kvm", &info) != 0 || info.st_gid == 0) return {};
  if ((info.st_mode & 0060) != 0060) return {};
  return {info.st_gid};
}

}  // namespace

Program confined_qemu(const std::string& qemu, std::vector<std::string> arguments, uid_t user,
                      std::vector<int> inherited, Stream output) {
  return {.path = qemu,
          .arguments = std::move(arguments),
          .output = output,
          .error = output,
          .inherited = std::move(inherited),
          .folder = std::string("/"),
          .group = ProcessGroup::session,
          .confinement = {.user = user,
                          .groups = kvm_groups(),
                          .unprivileged = true,
                          .namespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
                          .hidden = {"/home", "/media", "/mnt", "/opt", "/root", "/run", "/srv",
                                     "/tmp", "/var"},
                          .limits = {{RLIMIT_CORE, 0}},
                          .nice = 0}};
}

Result<std::string> find_qemu(const QemuSystem& system) {
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/"}) {
    const std::string path = folder + std::string(system.program);
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return fail(Errc::not_found, std::string(system.program) + " is not there: install package " +
                                   std::string(system.package));
}

}  // namespace weir::pool
