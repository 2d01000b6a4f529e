#include "deployer/probe/edge/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "deployer/probe/echo.h"
#include "deployer/probe/handshake.h"
#include "keys/signing/edge/key_files.h"

namespace weir::probe {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A node drops initiations that come faster than 20 ms apart, and one that boots may need a while.
constexpr milliseconds kInitiateEvery{1000};
constexpr milliseconds kEchoEvery{250};
constexpr std::size_t kLargestDatagram = 65536;

Result<Fd> connect_to(const network::NetworkNamespace& where, const ProbeTarget& target) {
  const bool v4 = target.gateway.address.is_v4();
  TRY_ASSIGN(Fd fd, where.socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  // Before connect, which chooses the route and with it the source address.
  if (target.mark != 0 &&
      ::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &target.mark, sizeof target.mark) != 0) {
    return fail_errno(Errc::unauthorized, errno, "probe: set the packet mark");
  }
  sockaddr_storage address{};
  socklen_t size = 0;
  const std::string_view raw = target.gateway.address.raw();
  if (v4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(target.gateway.port);
    std::memcpy(&in.sin_addr, raw.data(), raw.size());
    size = sizeof in;
    std::memcpy(&address, &in, size);
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(target.gateway.port);
    std::memcpy(&in.sin6_addr, raw.data(), raw.size());
    size = sizeof in;
    std::memcpy(&address, &in, size);
  }
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return fail_errno(Errc::io, errno, "probe: " + target.gateway.string());
  }
  return fd;
}

/// A UDP conversation that remembers the last thing the network said about it.
class Wire {
 public:
  explicit Wire(Fd fd) : fd_(std::move(fd)), buffer_(kLargestDatagram, '\0') {}

  void send(const std::string& datagram) {
    // Errors of earlier packets (ICMP) arrive here too; sending goes on until the time is over.
    if (::send(fd_.get(), datagram.data(), datagram.size(), 0) < 0) refused_ = errno;
  }

  /// The next datagram before `until`; empty when there was none.
  Bytes receive(Clock::time_point until) {
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
      if (left.count() <= 0) return {};
      pollfd waiting{fd_.get(), POLLIN, 0};
      const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
      if (ready == 0 || (ready < 0 && errno != EINTR)) return {};
      if (ready < 0) continue;
      const ssize_t n = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
      if (n > 0) return as_bytes({buffer_.data(), static_cast<std::size_t>(n)});
      if (n < 0 && errno != EAGAIN && errno != EINTR) refused_ = errno;
    }
  }

  /// ", and the network says: ..." where it said anything.
  [[nodiscard]] std::string complaint() const {
    return refused_ == 0 ? "" : std::string(", and the network says: ") + std::strerror(refused_);
  }

 private:
  Fd fd_;
  std::string buffer_;
  int refused_ = 0;
};

std::uint32_t random_index() {
  // 0 stands for "none" in receiver_of.
  std::uint32_t index = 0;
  while (index == 0) index = randombytes_random();
  return index;
}

struct Connected {
  Session session;
  std::uint32_t index;
  std::chrono::microseconds took;
};

Result<Connected> shake_hands(Wire& wire, const ProbeTarget& target,
                              const keys::Secret& private_key, const keys::Secret* preshared_key,
                              Clock::time_point deadline) {
  std::vector<Initiator> attempts;  // a late answer to an earlier one is as good
  std::optional<Cookie> cookie;
  bool under_load = false;
  while (Clock::now() < deadline) {
    TRY_ASSIGN(const keys::Secret ephemeral, keys::random_secret(32));
    auto attempt =
        Initiator::start({.private_key = private_key,
                          .gateway = target.gateway_key,
                          .preshared_key = preshared_key,
                          .ephemeral = ephemeral,
                          .index = random_index(),
                          .timestamp = tai64n(std::chrono::system_clock::now().time_since_epoch()),
                          .cookie = cookie});
    if (!attempt) return tl::unexpected(std::move(attempt).error().in("probe"));
    const auto sent = Clock::now();
    wire.send(attempt->message());
    attempts.push_back(std::move(*attempt));
    const auto again = std::min(deadline, sent + kInitiateEvery);
    for (Bytes answer = wire.receive(again); !answer.empty(); answer = wire.receive(again)) {
      const auto own = std::find_if(attempts.begin(), attempts.end(), [&](const Initiator& each) {
        return each.index() == receiver_of(answer);
      });
      const auto type = type_of(answer);
      if (own == attempts.end() || !type) continue;
      if (*type == MessageType::cookie_reply) {
        under_load = true;
        if (const auto given = own->open_cookie(answer)) cookie = *given;
      } else if (*type == MessageType::response) {
        auto session = own->finish(answer);
        if (!session) return tl::unexpected(std::move(session).error().in("probe: handshake"));
        return Connected{
            std::move(*session), own->index(),
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - sent)};
      }
    }
  }
  if (under_load) {
    return fail(Errc::timeout, "probe: handshake: " + target.gateway.string() +
                                   " is under load: it answers with cookies only");
  }
  return fail(Errc::timeout, "probe: handshake: no answer from " + target.gateway.string() +
                                 " to " + std::to_string(attempts.size()) +
                                 " initiations: it is not reached, has another key than " +
                                 target.gateway_key.string() +
                                 ", or does not know the probe's public key" + wire.complaint());
}

Result<std::chrono::microseconds> exchange_echo(Wire& wire, const ProbeTarget& target,
                                                Connected& connected, Clock::time_point deadline) {
  Echo echo{.source = target.inner_source,
            .target = target.inner_target,
            .id = static_cast<std::uint16_t>(randombytes_random()),
            .sequence = 0};
  std::size_t silent = 0;
  while (Clock::now() < deadline) {
    ++echo.sequence;
    TRY_ASSIGN(const std::string request, echo_request(echo));
    TRY_ASSIGN(const std::string message, connected.session.seal(as_bytes(request)));
    const auto sent = Clock::now();
    wire.send(message);
    const auto again = std::min(deadline, sent + kEchoEvery);
    for (Bytes answer = wire.receive(again); !answer.empty(); answer = wire.receive(again)) {
      const auto type = type_of(answer);
      if (!type || *type != MessageType::data || receiver_of(answer) != connected.index) continue;
      auto packet = connected.session.open(answer);
      if (!packet) return tl::unexpected(std::move(packet).error().in("probe: data"));
      if (is_reply_to(echo, as_bytes(*packet))) {
        return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - sent);
      }
      ++silent;
    }
  }
  return fail(Errc::timeout,
              "probe: data: the handshake was answered, but " + target.inner_target.string() +
                  " answered none of " + std::to_string(echo.sequence) + " pings from " +
                  target.inner_source.string() + " through " + target.gateway.string() +
                  (silent == 0 ? "" : " (other packets came through)") + wire.complaint());
}

}  // namespace

Result<ProbeResult> run_probe(const network::NetworkNamespace& where, const ProbeTarget& target,
                              const keys::Secret& private_key,
                              const std::optional<keys::Secret>& preshared_key,
                              milliseconds timeout) {
  if (sodium_init() < 0) return fail(Errc::bug, "libsodium does not start");
  const auto deadline = Clock::now() + timeout;
  TRY_ASSIGN(Fd fd, connect_to(where, target));
  Wire wire(std::move(fd));
  TRY_ASSIGN(Connected connected, shake_hands(wire, target, private_key,
                                              preshared_key ? &*preshared_key : nullptr, deadline));
  TRY_ASSIGN(const auto echo, exchange_echo(wire, target, connected, deadline));
  return ProbeResult{.handshake = connected.took, .echo = echo};
}

}  // namespace weir::probe
