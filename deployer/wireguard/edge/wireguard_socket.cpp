#include "deployer/wireguard/edge/wireguard_socket.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "deployer/wireguard/codec.h"

namespace weir::wireguard {
namespace {

constexpr int kDumpAttempts = 5;
// The kernel answers before sendmsg returns or, for dumps, as we read: only a broken one is silent.
constexpr int kAnswerMs = 5000;

Status send_message(const Fd& socket, const SecretBytes& message) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do {
    sent = ::sendto(socket.get(), message.data(), message.size(), 0,
                    reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail_errno(Errc::kernel, errno, "netlink: send");
  return {};
}

/// One datagram from the kernel. `buffer` is grown back to its full size first.
Result<Bytes> receive(const Fd& socket, SecretBytes& buffer) {
  pollfd ready{.fd = socket.get(), .events = POLLIN, .revents = 0};
  int polled = 0;
  do {
    polled = ::poll(&ready, 1, kAnswerMs);
  } while (polled < 0 && errno == EINTR);
  if (polled == 0) return fail(Errc::timeout, "netlink: the kernel did not answer");
  sockaddr_nl from{};
  iovec piece{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr header{};
  header.msg_name = &from;
  header.msg_namelen = sizeof from;
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  const ssize_t got = ::recvmsg(socket.get(), &header, 0);
  if (got < 0) return fail_errno(Errc::kernel, errno, "netlink: receive");
  if ((header.msg_flags & MSG_TRUNC) != 0) return fail(Errc::kernel, "netlink: an answer was cut");
  if (from.nl_pid != 0) return fail(Errc::kernel, "netlink: an answer that is not the kernel's");
  return Bytes(buffer.data(), static_cast<std::size_t>(got));
}

/// errno values that say which thing is missing.
Error named(Error error, const std::string& interface) {
  if (error.sys == ENODEV || error.sys == EOPNOTSUPP) error.code = Errc::not_found;
  if (error.sys == EPERM || error.sys == EACCES) error.code = Errc::unauthorized;
  return std::move(error).in("interface " + interface);
}

}  // namespace

Result<WireGuardSocket> WireGuardSocket::open(const network::NetworkNamespace& where) {
  TRY_ASSIGN(Fd socket, where.socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC));
  SecretBytes request = encode_get_family();
  stamp(request, 1);
  TRY(send_message(socket, request));
  SecretBytes buffer(kMessageRoom.value);
  TRY_ASSIGN(const Bytes answer, receive(socket, buffer));
  auto family = decode_family(answer, 1);
  if (!family && family.error().sys == ENOENT) {
    return fail(Errc::not_found, "the kernel has no WireGuard: load its module");
  }
  if (!family) return tl::unexpected(std::move(family).error());
  WireGuardSocket out(std::move(socket), *family);
  out.sequence_ = 1;
  return out;
}

Result<WgDevice> WireGuardSocket::read_device(const std::string& interface) {
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    bool interrupted = false;
    auto device = read_once(interface, interrupted);
    if (!device) return tl::unexpected(named(std::move(device).error(), interface));
    if (!interrupted) return device;
  }
  return fail(Errc::busy, "interface " + interface + ": its peers changed during each of " +
                              std::to_string(kDumpAttempts) + " dumps");
}

Result<WgDevice> WireGuardSocket::read_once(const std::string& interface, bool& interrupted) {
  TRY_ASSIGN(SecretBytes request, encode_get_device(interface, family_));
  stamp(request, ++sequence_);
  TRY(send_message(socket_, request));
  DumpDecoder decoder(family_, sequence_);
  SecretBytes buffer(kMessageRoom.value);
  while (!decoder.done()) {
    TRY_ASSIGN(const Bytes datagram, receive(socket_, buffer));
    TRY(decoder.feed(datagram));
  }
  interrupted = decoder.interrupted();
  return std::move(decoder).finish();
}

Status WireGuardSocket::apply(const WgChange& change) {
  TRY_ASSIGN(auto messages, encode_set_device(change, family_));
  SecretBytes buffer(kMessageRoom.value);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    stamp(messages[i], ++sequence_);
    TRY(send_message(socket_, messages[i]));
    std::optional<int> sys;
    while (!sys) {
      TRY_ASSIGN(const Bytes answer, receive(socket_, buffer));
      TRY_ASSIGN(sys, decode_ack(answer, sequence_));
    }
    if (*sys != 0) {
      Error error =
          fail_errno(Errc::kernel, *sys,
                     "message " + std::to_string(i + 1) + " of " + std::to_string(messages.size()))
              .value();
      return tl::unexpected(named(std::move(error), change.interface));
    }
  }
  return {};
}

}  // namespace weir::wireguard
