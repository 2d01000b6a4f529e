// Rule 6 and what the director itself sends: ICMP errors, probes, nudges.
#include <doctest/doctest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>

#include "tests/netns/director/lab.h"
#include "tests/patience.h"
#include "tests/unit/deployer/director/fixture.h"

using namespace weir::director;
using namespace weir::director::test;
using weir::Fd;

namespace {

Fd raw_socket(const TemporaryNamespace& where, int family, int protocol) {
  auto space = weir::network::NetworkNamespace::open(where.name());
  REQUIRE(space);
  auto fd = space->socket(family, SOCK_RAW | SOCK_NONBLOCK, protocol);
  REQUIRE(fd);
  return std::move(*fd);
}

/// Waits until the socket has received a packet that contains `part`.
bool receives(const Fd& fd, std::string_view part) {
  std::array<char, 4096> buffer{};
  return weir::test::eventually([&] {
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return got > 0 && std::string_view(buffer.data(), static_cast<std::size_t>(got)).find(part) !=
                          std::string_view::npos;
  });
}

std::uint16_t sum16(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]) << 8 |
                                      static_cast<unsigned char>(bytes[i + 1]));
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// An ICMP destination unreachable (fragmentation needed) or ICMPv6 packet too big, RFC 792 and
/// 4443.
void send_too_big(const TemporaryNamespace& from, const weir::IpAddress& to, std::string_view tag) {
  const bool v4 = to.is_v4();
  std::string message(8, '\0');
  message[0] = v4 ? 3 : 2;
  message[1] = v4 ? 4 : 0;
  message += std::string(48, '\0') + std::string(tag);
  if (message.size() % 2 != 0) message += '\0';
  if (v4) {
    const auto sum = sum16(message);
    message[2] = static_cast<char>(sum >> 8);
    message[3] = static_cast<char>(sum & 0xff);
  }
  const Fd fd =
      raw_socket(from, v4 ? AF_INET : AF_INET6, v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6});
  sockaddr_in to4{};
  sockaddr_in6 to6{};
  to4.sin_family = AF_INET;
  to6.sin6_family = AF_INET6;
  std::memcpy(v4 ? static_cast<void*>(&to4.sin_addr) : static_cast<void*>(&to6.sin6_addr),
              to.raw().data(), to.raw().size());
  const auto* raw =
      v4 ? reinterpret_cast<const sockaddr*>(&to4) : reinterpret_cast<const sockaddr*>(&to6);
  REQUIRE(::sendto(fd.get(), message.data(), message.size(), 0, raw,
                   v4 ? sizeof to4 : sizeof to6) == static_cast<ssize_t>(message.size()));
}

}  // namespace

TEST_CASE("ICMP errors to the public address reach every node") {
  Lab lab({node("blue-1")});
  for (const bool v6 : {false, true}) {
    CAPTURE(v6);
    std::vector<Fd> nodes;
    for (const std::uint32_t number : {1U, 2U, 3U}) {
      nodes.push_back(raw_socket(lab.node(number), v6 ? AF_INET6 : AF_INET,
                                 v6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP}));
    }
    const std::string tag = "too big, says a router";
    send_too_big(lab.outside(), address(v6 ? "2001:db8::1" : "192.0.2.1"), tag);
    for (const Fd& fd : nodes) CHECK(receives(fd, tag));
  }
}

TEST_CASE("the director's own complaint about a node's packet reaches that node") {
  Lab lab({node("blue-1")});
  // IPv6 routers do not fragment: the public link is too small for what the node sends.
  REQUIRE(lab.host().exec("ip link set pub0 mtu 1280").status == 0);
  const Fd blue = raw_socket(lab.node(1), AF_INET6, IPPROTO_ICMPV6);
  const Fd green = raw_socket(lab.node(3), AF_INET6, IPPROTO_ICMPV6);
  const std::string tag("\x04\0\0\0\x2a\0\0\0", 8);  // type 4 and its index, as quoted in the error
  lab.node_sends(3, endpoint("[2001:db8:1::1]:4000"), 4, 42, 1400);
  CHECK(receives(green, tag));
  CHECK(receives(blue, tag));
}

TEST_CASE("pings to the public address are answered, in both families") {
  Lab lab({node("green-1")});
  CHECK(lab.outside().exec("ping -c1 -W3 192.0.2.1").status == 0);
  CHECK(lab.outside().exec("ping -c1 -W3 2001:db8::1").status == 0);
  const auto other = lab.outside().exec("bash -c 'echo x > /dev/udp/192.0.2.1/51821'");
  CHECK(lab.counter("unmatched") >= 1);
}

TEST_CASE("a marked socket on the director reaches the marked node and is answered") {
  Lab lab({node("blue-1")});
  for (const char* vip : {"192.0.2.1", "2001:db8::1"}) {
    for (const std::uint32_t number : {1U, 2U, 3U}) {
      CAPTURE(vip);
      CAPTURE(number);
      const auto to = address(vip);
      auto space = weir::network::NetworkNamespace::open(lab.host().name());
      REQUIRE(space);
      auto fd = space->socket(to.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
      REQUIRE(fd);
      REQUIRE(::setsockopt(fd->get(), SOL_SOCKET, SO_MARK, &number, sizeof number) == 0);
      sockaddr_in to4{};
      sockaddr_in6 to6{};
      to4.sin_family = AF_INET;
      to6.sin6_family = AF_INET6;
      to4.sin_port = to6.sin6_port = htons(51820);
      std::memcpy(
          to.is_v4() ? static_cast<void*>(&to4.sin_addr) : static_cast<void*>(&to6.sin6_addr),
          to.raw().data(), to.raw().size());
      const auto* raw = to.is_v4() ? reinterpret_cast<const sockaddr*>(&to4)
                                   : reinterpret_cast<const sockaddr*>(&to6);
      REQUIRE(::connect(fd->get(), raw, to.is_v4() ? sizeof to4 : sizeof to6) == 0);
      std::string message(148, '\0');
      message[0] = 1;
      const std::uint64_t tag = 0x7765697280000000 + number + (to.is_v6() ? 16 : 0);
      std::memcpy(message.data() + 16, &tag, sizeof tag);
      REQUIRE(::send(fd->get(), message.data(), message.size(), 0) == 148);
      CHECK(lab.receivers(tag) == std::multiset<std::string>{"node" + std::to_string(number)});

      // The node answers to where it came from, which is the director's own address.
      sockaddr_storage self{};
      socklen_t length = sizeof self;
      REQUIRE(::getsockname(fd->get(), reinterpret_cast<sockaddr*>(&self), &length) == 0);
      const auto* self4 = reinterpret_cast<const sockaddr_in*>(&self);
      const auto* self6 = reinterpret_cast<const sockaddr_in6*>(&self);
      const auto port = ntohs(to.is_v4() ? self4->sin_port : self6->sin6_port);
      const auto& link = lab.topology().nodes.at(number - 1);
      lab.node_answers(number, {to.is_v4() ? link.director_v4 : link.director_v6, port});
      pollfd one{fd->get(), POLLIN, 0};
      CHECK(::poll(&one, 1, 3000) == 1);
    }
  }
  // Probes teach nothing: they are not clients.
  const auto observed = lab.director().read();
  CHECK(observed->learned.homes.empty());
  CHECK(observed->learned.indices.empty());
}

TEST_CASE("a nudge reaches the inner address through the node that was named") {
  Lab lab({node("blue-1")});
  for (const char* inner : {"10.9.0.5", "fd09::5"}) {
    CAPTURE(inner);
    const auto to = address(inner);
    const Fd blue = raw_socket(lab.node(2), to.is_v4() ? AF_INET : AF_INET6,
                               to.is_v4() ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6});
    REQUIRE(lab.director().nudge(node("blue-2"), to));
    CHECK(receives(blue, "weir"));
    // The answer ends at the director, and has told it where the client is.
    REQUIRE(
        weir::test::eventually([&] { return lab.director().read()->learned.inner.contains(to); }));
    CHECK(lab.director().read()->learned.inner.at(to) == node("blue-2"));
  }
  CHECK_FALSE(lab.director().nudge(node("red-1"), address("10.9.0.5")));
}
