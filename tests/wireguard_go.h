#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

/// How tests wait for wireguard-go.
namespace weir::test {

/// Whether the wireguard-go of `interface` takes connections. To be true before `wg` is run for the
/// first time: `wg` removes a socket that is bound and not yet listened on, which wireguard-go does
/// not survive (findings/wg_removes_sockets.sh).
inline bool wireguard_go_listens(const std::string& interface) {
  const std::string path = "/var/run/wireguard/" + interface + ".sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  path.copy(address.sun_path, path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool taken =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return taken;
}

}  // namespace weir::test
