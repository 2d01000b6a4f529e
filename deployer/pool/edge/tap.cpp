#include "deployer/pool/edge/tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace weir::pool {
namespace {

constexpr int kQueuedPackets = 2000;

}  // namespace

Result<Fd> make_tap(const network::NetworkNamespace& where, const std::string& name) {
  ifreq request{};
  if (name.empty() || name.size() >= sizeof(request.ifr_name)) {
    return fail(Errc::invalid_input,
                "'" + name + "' is not an interface name (1 to 15 characters)");
  }
  name.copy(request.ifr_name, name.size());
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  Fd tap;
  // The interface belongs to the namespace in which /dev/net/tun is opened.
  TRY_IN(where.run([&]() -> Status {
    tap = Fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    if (!tap.valid()) {
      return fail_errno(errno == EACCES || errno == EPERM ? Errc::unauthorized : Errc::io, errno,
                        "/dev/net/tun");
    }
    if (::ioctl(tap.get(), TUNSETIFF, &request) != 0) {
      return fail_errno(errno == EBUSY   ? Errc::busy
                        : errno == EPERM ? Errc::unauthorized
                                         : Errc::io,
                        errno, "TUNSETIFF");
    }
    // The default of 500 packets overflows when an emulated machine has to wait for a processor.
    const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    request.ifr_qlen = kQueuedPackets;
    if (::ioctl(any.get(), SIOCSIFTXQLEN, &request) != 0) {
      return fail_errno(Errc::io, errno, "SIOCSIFTXQLEN");
    }
    return {};
  }),
         "tap " + name);
  return tap;
}

}  // namespace weir::pool
