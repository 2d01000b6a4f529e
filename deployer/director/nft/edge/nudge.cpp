#include "deployer/director/nft/edge/nudge.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace weir::director {
namespace {

/// RFC 1071 over an even number of bytes.
std::uint16_t checksum(const std::array<std::uint8_t, 16>& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

Status send_nudge(const network::NetworkNamespace& where, const IpAddress& inner,
                  std::uint32_t mark) {
  const bool v4 = inner.is_v4();
  TRY_ASSIGN(const Fd fd, where.socket(v4 ? AF_INET : AF_INET6, SOCK_RAW,
                                       v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6}));
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0) {
    return fail_errno(Errc::unauthorized, errno, "mark a packet");
  }
  std::array<std::uint8_t, 16> echo{};
  echo[0] = v4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST};
  std::memcpy(echo.data() + 8, "weir", 4);
  if (v4) {  // the kernel fills in ICMPv6's, which covers addresses too
    const std::uint16_t sum = checksum(echo);
    echo[2] = static_cast<std::uint8_t>(sum >> 8);
    echo[3] = static_cast<std::uint8_t>(sum & 0xff);
  }
  sockaddr_in6 to6{};
  sockaddr_in to4{};
  to4.sin_family = AF_INET;
  to6.sin6_family = AF_INET6;
  if (v4) {
    std::memcpy(&to4.sin_addr, inner.raw().data(), inner.raw().size());
  } else {
    std::memcpy(&to6.sin6_addr, inner.raw().data(), inner.raw().size());
  }
  const auto* to =
      v4 ? reinterpret_cast<const sockaddr*>(&to4) : reinterpret_cast<const sockaddr*>(&to6);
  const socklen_t length = v4 ? sizeof to4 : sizeof to6;
  if (::sendto(fd.get(), echo.data(), echo.size(), 0, to, length) < 0) {
    return fail_errno(Errc::io, errno, "send to " + inner.string());
  }
  return {};
}

}  // namespace weir::director
