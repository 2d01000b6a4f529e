#include "deployer/boot_check/edge/exchange.h"

#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "deployer/boot_check/edge/enclosure.h"

namespace weir::boot_check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress address_of(const IpAddress& address, in_port_t port) {
  SocketAddress out;
  const std::string_view raw = address.raw();
  if (address.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = port;
    std::memcpy(&in.sin_addr, raw.data(), raw.size());
    out.size = sizeof in;
    std::memcpy(&out.storage, &in, out.size);
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = port;
    std::memcpy(&in.sin6_addr, raw.data(), raw.size());
    out.size = sizeof in;
    std::memcpy(&out.storage, &in, out.size);
  }
  return out;
}

// In network order.
Result<in_port_t> port_of(const Fd& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return fail_errno(Errc::io, errno, "getsockname");
  }
  // The port stands at the same place in both families (netinet/in.h).
  sockaddr_in in{};
  std::memcpy(&in, &storage, sizeof in);
  return in.sin_port;
}

// One direction: what one end sends and the other has to get.
struct Stream {
  std::string sent;
  std::size_t out = 0, in = 0;
  [[nodiscard]] bool done() const { return in == sent.size(); }

  Status send(const Fd& from) {
    const ssize_t n =
        ::send(from.get(), sent.data() + out, sent.size() - out, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) out += static_cast<std::size_t>(n);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return fail_errno(Errc::io, errno, "send");
    return {};
  }

  Status receive(const Fd& at) {
    std::array<char, 16384> piece{};
    const ssize_t n = ::recv(at.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EAGAIN || errno == EINTR) return {};
      return fail_errno(Errc::io, errno, "receive");
    }
    const auto size = static_cast<std::size_t>(n);
    if (size == 0) return fail(Errc::io, "the connection ended early");
    if (size > sent.size() - in || std::memcmp(piece.data(), sent.data() + in, size) != 0) {
      return fail(Errc::integrity, "other bytes arrived than were sent");
    }
    in += size;
    return {};
  }
};

Stream random_stream(std::size_t bytes) {
  Stream out;
  out.sent.resize(bytes);
  randombytes_buf(out.sent.data(), out.sent.size());
  return out;
}

std::string progress_of(bool connected, const Stream& there, const Stream& back) {
  if (!connected) return "no connection came about";
  return std::to_string(there.in) + " of " + std::to_string(there.sent.size()) +
         " bytes arrived there, " + std::to_string(back.in) + " came back";
}

}  // namespace

Result<Exchanged> exchange(const network::NetworkNamespace& near,
                           const network::NetworkNamespace& far, const IpAddress& target,
                           std::size_t bytes, milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  const int family = target.is_v4() ? AF_INET : AF_INET6;
  TRY_ASSIGN(const Fd listener, far.socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0));
  const SocketAddress any_port = address_of(target, 0);
  if (::bind(listener.get(), any_port.get(), any_port.size) != 0 ||
      ::listen(listener.get(), 1) != 0) {
    return fail_errno(Errc::io, errno, "listen at " + target.string());
  }
  TRY_ASSIGN(const in_port_t port, port_of(listener));
  TRY_ASSIGN(const Fd client, near.socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0));
  const SocketAddress to = address_of(target, port);
  if (::connect(client.get(), to.get(), to.size) != 0 && errno != EINPROGRESS) {
    return fail_errno(Errc::io, errno, "connect to " + target.string());
  }
  Stream there = random_stream(bytes), back = random_stream(bytes);
  Exchanged out;
  Fd server;
  while (!there.done() || !back.done()) {
    if (interrupted()) return fail(Errc::busy, "interrupted");
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) {
      return fail(Errc::timeout, "data to " + target.string() + " through the tunnel: after " +
                                     std::to_string(patience.count()) + " ms " +
                                     progress_of(server.valid(), there, back));
    }
    const auto interest = [](bool send, bool receive) {
      return static_cast<short>((send ? POLLOUT : 0) | (receive ? POLLIN : 0));
    };
    std::array<pollfd, 2> wait{
        pollfd{client.get(), interest(there.out < bytes && server.valid(), !back.done()), 0},
        pollfd{server.valid() ? server.get() : listener.get(),
               server.valid() ? interest(back.out < bytes, !there.done()) : short{POLLIN}, 0}};
    // Wakes up for an interrupt too.
    if (::poll(wait.data(), wait.size(), static_cast<int>(std::min<long>(left.count(), 200))) <=
        0) {
      continue;
    }
    if (!server.valid()) {
      if ((wait[0].revents & POLLERR) != 0) TRY(back.receive(client));
      if (wait[1].revents == 0) continue;
      server = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      continue;
    }
    if ((wait[0].revents & POLLOUT) != 0) TRY(there.send(client));
    if ((wait[1].revents & POLLOUT) != 0) TRY(back.send(server));
    if ((wait[1].revents & ~POLLOUT) != 0) {
      const bool first = there.in == 0;
      TRY(there.receive(server));
      if (first && there.in > 0) out.first_byte = steady_clock::now();
    }
    if ((wait[0].revents & ~POLLOUT) != 0) TRY(back.receive(client));
  }
  out.each_way = bytes;
  out.last_byte = steady_clock::now();
  return out;
}

bool accepts_connections(const network::NetworkNamespace& from, const IpAddress& address,
                         std::uint16_t port, milliseconds patience) {
  const auto socket =
      from.socket(address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (!socket) return false;
  const SocketAddress to = address_of(address, htons(port));
  if (::connect(socket->get(), to.get(), to.size) != 0 && errno != EINPROGRESS) return false;
  pollfd ready{socket->get(), POLLOUT, 0};
  return ::poll(&ready, 1, static_cast<int>(patience.count())) == 1 && ready.revents == POLLOUT;
}

}  // namespace weir::boot_check
