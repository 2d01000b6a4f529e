#include "tests/lab/pinger.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "deployer/network/edge/network_namespace.h"
#include "tests/lab/socket_address.h"

namespace weir::lab {
namespace {

constexpr UnixNs kInterval = 20'000'000;  // 50 Hz
constexpr std::size_t kPayload = 64;

struct Echo {
  std::uint8_t type = 0, code = 0;
  std::uint16_t checksum = 0, id = 0, sequence = 0;
  std::uint64_t number = 0;  ///< never wraps, unlike `sequence`
  std::array<std::uint8_t, kPayload> payload{};
};

// RFC 1071
std::uint16_t internet_checksum(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < size; i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<std::uint16_t>(~sum));
}

UnixNs kernel_time(msghdr& message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(c), sizeof at);
    return static_cast<UnixNs>(at.tv_sec) * 1'000'000'000 + at.tv_nsec;
  }
  return unix_now();
}

}  // namespace

struct Pinger::Flow {
  PingFlow what;
  PingLog log;
  Fd socket;
  std::uint16_t id = 0;
  UnixNs next = 0;

  void send_one() {
    Echo echo;
    echo.type = what.target.is_v4() ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
    echo.id = id;
    echo.number = log.samples.size();
    echo.sequence = htons(static_cast<std::uint16_t>(echo.number));
    if (what.target.is_v4()) echo.checksum = internet_checksum(&echo, sizeof echo);
    log.samples.push_back({unix_now(), 0});
    // A request the kernel refuses (no route, full queue) is a request without a reply: lost.
    [[maybe_unused]] const ssize_t n = ::send(socket.get(), &echo, sizeof echo, MSG_DONTWAIT);
  }

  /// Whether there was a packet; `fresh` counts first replies.
  bool receive_one(std::uint64_t& fresh) {
    alignas(8) std::array<std::uint8_t, 512> packet{};
    alignas(8) std::array<char, 256> control{};
    iovec part{packet.data(), packet.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(socket.get(), &message, MSG_DONTWAIT);
    if (n < 0) return false;
    std::size_t offset = 0;  // a raw IPv4 socket shows the IP header too
    if (what.target.is_v4()) offset = static_cast<std::size_t>(packet[0] & 15) * 4;
    if (static_cast<std::size_t>(n) < offset + sizeof(Echo)) return true;
    Echo echo;
    std::memcpy(&echo, packet.data() + offset, sizeof echo);
    const std::uint8_t reply =
        what.target.is_v4() ? std::uint8_t{ICMP_ECHOREPLY} : std::uint8_t{ICMP6_ECHO_REPLY};
    if (echo.type != reply || echo.id != id || echo.number >= log.samples.size()) return true;
    PingSample& sample = log.samples[echo.number];
    if (sample.received != 0) {
      ++log.duplicates;
    } else {
      sample.received = kernel_time(message);
      ++fresh;
    }
    return true;
  }
};

Pinger::Pinger() = default;
Pinger::~Pinger() = default;

Result<std::unique_ptr<Pinger>> Pinger::open(std::vector<PingFlow> flows) {
  std::unique_ptr<Pinger> out(new Pinger());
  for (PingFlow& what : flows) {
    const bool v4 = what.target.is_v4();
    const std::string context = "ping " + what.flow;
    TRY_ASSIGN_IN(const auto where, network::NetworkNamespace::open(what.netns), context);
    TRY_ASSIGN_IN(Fd socket,
                  where.socket(v4 ? AF_INET : AF_INET6, SOCK_RAW,
                               v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6}),
                  context);
    const int on = 1;
    const int room = 1 << 20;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    const SocketAddress source(what.source, 0);
    const SocketAddress target(what.target, 0);
    if (::bind(socket.get(), source.get(), source.size()) != 0 ||
        ::connect(socket.get(), target.get(), target.size()) != 0) {
      return fail_errno(Errc::io, errno, context);
    }
    Flow flow{std::move(what), {}, std::move(socket), 0, 0};
    flow.log.flow = flow.what.flow;
    flow.log.client = flow.what.client;
    flow.id = static_cast<std::uint16_t>(0x5700 + out->flows_.size());
    out->flows_.push_back(std::move(flow));
  }
  return out;
}

void Pinger::run(const std::atomic<bool>& sending, const std::atomic<bool>& receiving) {
  const UnixNs start = unix_now();
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    // Spread over the interval, so that the flows do not come in bursts.
    flows_[i].next =
        start + kInterval * static_cast<UnixNs>(i) / static_cast<UnixNs>(flows_.size());
  }
  std::vector<pollfd> wait;
  for (const Flow& flow : flows_) wait.push_back({flow.socket.get(), POLLIN, 0});
  while (receiving) {
    UnixNs now = unix_now();
    UnixNs next = now + kInterval;
    for (Flow& flow : flows_) {
      if (sending && flow.next <= now) {
        flow.send_one();
        ++sent;
        // After a stall of ours the rate is kept, not made up for in a burst.
        flow.next = std::max(flow.next + kInterval, now - kInterval);
      }
      if (sending) next = std::min(next, std::max(flow.next, now));
    }
    now = unix_now();
    const timespec pause{0, static_cast<long>(std::clamp<UnixNs>(next - now, 0, kInterval))};
    if (::ppoll(wait.data(), wait.size(), &pause, nullptr) <= 0) continue;
    for (std::size_t i = 0; i < flows_.size(); ++i) {
      std::uint64_t fresh = 0;
      while ((wait[i].revents & (POLLIN | POLLERR)) != 0 && flows_[i].receive_one(fresh)) {
      }
      received += fresh;
    }
  }
}

std::vector<PingLog> Pinger::take_logs() {
  std::vector<PingLog> out;
  for (Flow& flow : flows_) out.push_back(std::move(flow.log));
  return out;
}

}  // namespace weir::lab
