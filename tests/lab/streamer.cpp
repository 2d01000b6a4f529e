#include "tests/lab/streamer.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "deployer/network/edge/network_namespace.h"
#include "tests/lab/socket_address.h"

namespace weir::lab {
namespace {

constexpr UnixNs kTick = 100'000'000;
constexpr std::size_t kPerTick = 2560;                // about 25 KB/s
constexpr std::uint64_t kMostOutstanding = 64 << 10;  // a slow path is not filled further

std::uint8_t pattern(std::uint64_t offset) {
  return static_cast<std::uint8_t>(offset * 167 + (offset >> 8) * 31);
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

std::uint64_t retransmissions_of(const Fd& socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (!socket.valid() || ::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return 0;
  return info.tcpi_total_retrans;
}

}  // namespace

struct Streamer::Stream {
  StreamFlow what;
  network::NetworkNamespace client_side;
  Fd listener, client, server;
  StreamLog log;
  std::uint64_t offset_sent = 0, offset_echoed = 0;  ///< of this connection
  std::string pending;                               ///< the server has yet to send back

  Status connect() {
    TRY_ASSIGN(client, client_side.socket(what.server.is_v4() ? AF_INET : AF_INET6,
                                          SOCK_STREAM | SOCK_NONBLOCK, 0));
    const int on = 1;
    ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const SocketAddress server_address(what.server, what.port);
    if (::connect(client.get(), server_address.get(), server_address.size()) != 0 &&
        errno != EINPROGRESS) {
      return fail_errno(Errc::io, errno, "stream " + what.flow);
    }
    server = Fd();
    offset_sent = offset_echoed = 0;
    pending.clear();
    return {};
  }

  void broken() {
    ++log.resets;
    log.retransmissions += retransmissions_of(client) + retransmissions_of(server);
    client = Fd();
    server = Fd();
    // Where that fails too, the stream stays down, and its bytes show it.
    [[maybe_unused]] const auto again = connect();
  }

  /// The client's and the server's half of whatever can be done now; false: the connection is gone.
  bool send_some() {
    std::array<std::uint8_t, kPerTick> piece{};
    if (offset_sent - offset_echoed > kMostOutstanding) return true;
    for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = pattern(offset_sent + i);
    const ssize_t n = ::send(client.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
    if (n < 0) return would_block() || errno == ENOTCONN;
    offset_sent += static_cast<std::uint64_t>(n);
    log.bytes_sent += static_cast<std::uint64_t>(n);
    return true;
  }

  bool receive_echo() {
    std::array<std::uint8_t, 65536> piece{};
    const ssize_t n = ::recv(client.get(), piece.data(), piece.size(), 0);
    if (n < 0) return would_block() || errno == ENOTCONN;
    if (n == 0) return false;
    for (ssize_t i = 0; i < n; ++i) {
      if (piece[static_cast<std::size_t>(i)] != pattern(offset_echoed++)) ++log.mismatched;
    }
    log.bytes_echoed += static_cast<std::uint64_t>(n);
    return true;
  }

  bool serve() {
    std::array<char, 65536> piece{};
    const ssize_t n = ::recv(server.get(), piece.data(), piece.size(), 0);
    if (n == 0) return false;
    if (n < 0 && !would_block()) return false;
    if (n > 0) pending.append(piece.data(), static_cast<std::size_t>(n));
    return flush();
  }

  bool flush() {
    if (pending.empty()) return true;
    const ssize_t n = ::send(server.get(), pending.data(), pending.size(), MSG_NOSIGNAL);
    if (n < 0) return would_block();
    pending.erase(0, static_cast<std::size_t>(n));
    return true;
  }

  void accept_one() {
    Fd fresh(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fresh.valid()) return;
    const int on = 1;
    ::setsockopt(fresh.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    server = std::move(fresh);
  }
};

Streamer::Streamer() = default;
Streamer::~Streamer() = default;

Result<std::unique_ptr<Streamer>> Streamer::open(std::vector<StreamFlow> flows) {
  std::unique_ptr<Streamer> out(new Streamer());
  for (StreamFlow& what : flows) {
    const std::string context = "stream " + what.flow;
    TRY_ASSIGN_IN(const auto server_side, network::NetworkNamespace::open(what.server_netns),
                  context);
    TRY_ASSIGN_IN(auto client_side, network::NetworkNamespace::open(what.client_netns), context);
    TRY_ASSIGN_IN(Fd listener,
                  server_side.socket(what.server.is_v4() ? AF_INET : AF_INET6,
                                     SOCK_STREAM | SOCK_NONBLOCK, 0),
                  context);
    const int on = 1;
    ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const SocketAddress address(what.server, what.port);
    if (::bind(listener.get(), address.get(), address.size()) != 0 ||
        ::listen(listener.get(), 4) != 0) {
      return fail_errno(Errc::io, errno, context);
    }
    auto stream = std::make_unique<Stream>(
        Stream{std::move(what), std::move(client_side), std::move(listener), {}, {}, {}, 0, 0, {}});
    stream->log.flow = stream->what.flow;
    stream->log.client = stream->what.client;
    TRY(stream->connect());
    out->streams_.push_back(std::move(stream));
  }
  return out;
}

void Streamer::run(const std::atomic<bool>& sending, const std::atomic<bool>& receiving) {
  UnixNs next = unix_now();
  while (receiving) {
    std::vector<pollfd> wait;
    for (const auto& stream : streams_) {
      wait.push_back({stream->listener.get(), POLLIN, 0});
      wait.push_back({stream->client.get(), POLLIN, 0});
      const short more = stream->pending.empty() ? short{0} : short{POLLOUT};
      wait.push_back({stream->server.get(), static_cast<short>(POLLIN | more), 0});
    }
    const UnixNs pause = std::clamp<UnixNs>(next - unix_now(), 0, kTick);
    const timespec timeout{0, static_cast<long>(pause)};
    const int ready = ::ppoll(wait.data(), wait.size(), &timeout, nullptr);
    for (std::size_t i = 0; ready > 0 && i < streams_.size(); ++i) {
      Stream& stream = *streams_[i];
      bool good = true;
      if (wait[3 * i].revents != 0) stream.accept_one();
      if (good && wait[3 * i + 1].revents != 0) good = stream.receive_echo();
      if (good && wait[3 * i + 2].revents != 0 && stream.server.valid()) good = stream.serve();
      if (!good) stream.broken();
    }
    if (unix_now() < next) continue;
    next = std::max(next + kTick, unix_now() - kTick);
    // What a broken connection sent does not come back.
    drained_ = std::all_of(streams_.begin(), streams_.end(), [](const auto& stream) {
      return stream->offset_echoed >= stream->offset_sent;
    });
    if (!sending) continue;
    for (const auto& stream : streams_) {
      if (!stream->send_some()) stream->broken();
    }
    flowing_ = std::all_of(streams_.begin(), streams_.end(),
                           [](const auto& stream) { return stream->log.bytes_echoed > 0; });
  }
  for (const auto& stream : streams_) {
    stream->log.retransmissions +=
        retransmissions_of(stream->client) + retransmissions_of(stream->server);
  }
}

std::vector<StreamLog> Streamer::take_logs() {
  std::vector<StreamLog> out;
  for (const auto& stream : streams_) out.push_back(std::move(stream->log));
  return out;
}

}  // namespace weir::lab
