#include "tests/lab/observer.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "deployer/network/edge/network_namespace.h"
#include "tests/lab/traffic.h"

namespace weir::lab {
namespace {

constexpr std::size_t kKeepaliveLength = 32;  // header 16, tag 16
constexpr std::uint8_t kData = 4;

struct Seen {
  IpAddress client;
  std::size_t payload = 0;
  std::uint8_t type = 0;
};

/// A UDP packet to `port`, not a fragment, without IPv6 extension headers.
std::optional<Seen> read_packet(const std::uint8_t* data, std::size_t size, std::uint16_t port) {
  std::size_t header = 0;
  std::optional<IpAddress> from;
  if (size >= 20 && data[0] >> 4 == 4) {
    header = static_cast<std::size_t>(data[0] & 15) * 4;
    if (data[9] != IPPROTO_UDP || (data[6] & 0x1f) != 0 || data[7] != 0) return std::nullopt;
    std::array<std::uint8_t, 4> raw{};
    std::memcpy(raw.data(), data + 12, raw.size());
    from = IpAddress::v4(raw);
  } else if (size >= 40 && data[0] >> 4 == 6) {
    header = 40;
    if (data[6] != IPPROTO_UDP) return std::nullopt;
    std::array<std::uint8_t, 16> raw{};
    std::memcpy(raw.data(), data + 8, raw.size());
    from = IpAddress::v6(raw);
  }
  if (!from || size < header + 8 + 4) return std::nullopt;
  const std::uint8_t* udp = data + header;
  if ((udp[2] << 8 | udp[3]) != port) return std::nullopt;
  const auto length = static_cast<std::size_t>(udp[4] << 8 | udp[5]);
  return Seen{*from, length - 8, udp[8]};
}

}  // namespace

struct Observer::State {
  Fd socket;
  std::uint16_t port = 0;
  std::map<int, std::string> names;
  mutable std::mutex lock;
  std::map<IpAddress, std::vector<Passage>> passages;
  std::atomic<bool> running{true};
  std::thread thread;

  ~State() {
    running = false;
    if (thread.joinable()) thread.join();
  }

  std::string name_of(int index) {
    // Indices are not reused while a namespace lives, so a name once read stays right.
    const auto known = names.find(index);
    if (known != names.end()) return known->second;
    ifreq request{};
    request.ifr_ifindex = index;
    if (::ioctl(socket.get(), SIOCGIFNAME, &request) != 0) return {};
    return names.emplace(index, request.ifr_name).first->second;
  }

  void receive_one() {
    std::array<std::uint8_t, 128> packet{};
    sockaddr_ll link{};
    socklen_t size = sizeof link;
    const ssize_t n = ::recvfrom(socket.get(), packet.data(), packet.size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&link), &size);
    if (n <= 0 || link.sll_pkttype != PACKET_OUTGOING) return;
    const auto seen = read_packet(packet.data(), static_cast<std::size_t>(n), port);
    if (!seen || seen->type != kData || seen->payload <= kKeepaliveLength) return;
    const std::string name = name_of(link.sll_ifindex);
    if (!name.starts_with("weir-d")) return;
    const std::lock_guard guard(lock);
    auto& list = passages[seen->client];
    if (list.empty() || list.back().interface != name) list.push_back({unix_now(), name});
  }

  void run() {
    pollfd wait{socket.get(), POLLIN, 0};
    while (running) {
      if (::poll(&wait, 1, 50) > 0) receive_one();
    }
  }
};

Observer::Observer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Observer::Observer(Observer&&) noexcept = default;
Observer& Observer::operator=(Observer&&) noexcept = default;
Observer::~Observer() = default;

Result<Observer> Observer::start(const std::string& director_netns, std::uint16_t gateway_port) {
  auto state = std::make_unique<State>();
  TRY_ASSIGN(const auto where, network::NetworkNamespace::open(director_netns));
  TRY_ASSIGN_IN(state->socket, where.socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)), "observer");
  const int room = 8 << 20;
  ::setsockopt(state->socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  state->port = gateway_port;
  State& s = *state;
  s.thread = std::thread([&s] { s.run(); });
  return Observer(std::move(state));
}

std::map<IpAddress, std::vector<Passage>> Observer::passages() const {
  const std::lock_guard guard(state_->lock);
  return state_->passages;
}

}  // namespace weir::lab
