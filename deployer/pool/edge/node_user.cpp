#include "deployer/pool/edge/node_user.h"

#include <sys/stat.h>
#include <unistd.h>

namespace weir::pool {

uid_t node_user(std::uint32_t number) {
  return 65000 + number % 500;
}

std::vector<gid_t> kvm_groups() {
  struct stat info {};
  if (::stat("/dev/kvm", &info) != 0 || info.st_gid == 0) return {};
  if ((info.st_mode & 0060) != 0060) return {};
  return {info.st_gid};
}

Result<std::string> find_qemu() {
  for (const char* path : {"/usr/bin/qemu-system-x86_64", "/usr/local/bin/qemu-system-x86_64"}) {
    if (::access(path, X_OK) == 0) return std::string(path);
  }
  return fail(Errc::not_found, "qemu-system-x86_64 is not there: install package qemu-system-x86");
}

}  // namespace weir::pool
