// What steering costs a packet, beside plain forwarding in the same run: one sender, one router,
// one receiver in three network namespaces. The kernel forwards inside the sender's system call, so
// time a packet is the whole path's; the difference between the two is the rules'.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deployer/director/nft/edge/nft_director.h"
#include "manifests/base/edge/file.h"
#include "tests/netns/temporary_namespace.h"
#include "tests/unit/deployer/director/fixture.h"

namespace {

using namespace weir;
using director::test::endpoint;
using director::test::node;
using weir::test::shell;
using weir::test::TemporaryNamespace;

constexpr std::uint32_t kSessions = 1000;
constexpr int kRounds = 9;
constexpr auto kRound = std::chrono::milliseconds(100);

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "weir-bench-steering: %s\n", why.c_str());
  std::exit(1);
}

void must(const std::string& commands) {
  const auto out = shell("set -e; " + commands + " true");
  if (out.status != 0) stop(commands + ": " + out.text);
}

template <class T>
T must(Result<T> result) {
  if (!result) stop(result.error().message);
  return std::move(*result);
}
void must(const Status& status) {
  if (!status) stop(status.error().message);
}

/// Two nodes on one machine would only compete for it: one sends or receives, the others just
/// exist.
struct Host {
  TemporaryNamespace router{"bench-router"};
  TemporaryNamespace outside{"bench-outside"};
  TemporaryNamespace upstream{"bench-upstream"};
  TemporaryNamespace gateway{"bench-node"};
  director::Topology topology = director::test::topology();

  Host() {
    topology.nodes.pop_back();
    topology.expected_peers = kSessions;
    const auto in = [](const TemporaryNamespace& where) { return "ip -n " + where.name() + " "; };
    std::string setup;
    for (const auto* where : {&router, &outside, &upstream, &gateway}) {
      setup += "ip netns exec " + where->name() +
               " sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 " +
               "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0; ";
    }
    const auto wire = [&](const std::string& mine, const TemporaryNamespace& other,
                          const std::string& theirs) {
      setup += in(router) + "link add " + mine + " type veth peer name " + theirs + " netns " +
               other.name() + "; " + in(router) + "link set " + mine + " up; " + in(other) +
               "link set " + theirs + " up; ";
    };
    wire("pub0", outside, "c0");
    wire("up0", upstream, "u0");
    wire("weir-d1", gateway, "d0");
    wire("weir-m1", gateway, "m0");
    wire("weir-d2", gateway, "d1");
    wire("weir-m2", gateway, "m1");
    setup += in(router) + "addr add 192.168.77.1/30 dev pub0; " + in(router) +
             "addr add fd77::1/64 dev pub0; " + in(router) + "addr add 203.0.113.1/24 dev up0; " +
             in(router) + "addr add 2001:db8:2::1/64 dev up0; " + in(outside) +
             "addr add 192.168.77.2/30 dev c0; " + in(outside) + "addr add fd77::2/64 dev c0; " +
             in(outside) + "route add default via 192.168.77.1; " + in(outside) +
             "route add default via fd77::1; " + in(upstream) +
             "addr add 203.0.113.10/24 dev u0; " + in(upstream) +
             "addr add 2001:db8:2::10/64 dev u0; " + in(upstream) +
             "route add default via 203.0.113.1; " + in(upstream) +
             "route add default via 2001:db8:2::1; ";
    const auto& link = topology.nodes.front();
    setup += in(gateway) + "addr add 192.0.2.1/32 dev lo; " + in(gateway) +
             "addr add 2001:db8::1/128 dev lo nodad; " + in(gateway) + "addr add " +
             link.node_v4.string() + "/31 dev d0; " + in(gateway) + "addr add " +
             link.node_v6.string() + "/127 dev d0 nodad; " + in(gateway) +
             "addr add 10.9.0.5/32 dev lo; " + in(gateway) + "addr add fd09::5/128 dev lo nodad; " +
             in(gateway) + "route add default via " + link.director_v4.string() +
             " dev d0 src 192.0.2.1; " + in(gateway) + "route add default via " +
             link.director_v6.string() + " dev d0 src 2001:db8::1; ";
    must(setup);
  }

  /// Ordinary routes to the same places, for the comparison; harmless under steering.
  void add_plain_routes() const {
    const auto& link = topology.nodes.front();
    std::string all;
    for (const char* to : {"192.0.2.1", "10.9.0.5"}) {
      all += "ip -n " + router.name() + " route replace " + to + " via " + link.node_v4.string() +
             "; ";
    }
    for (const char* to : {"2001:db8::1", "fd09::5"}) {
      all += "ip -n " + router.name() + " route replace " + to + " via " + link.node_v6.string() +
             "; ";
    }
    must(all);
  }
};

std::chrono::nanoseconds cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Packets of one kind, ready to be sent many at a time.
class Stream {
 public:
  Stream(const TemporaryNamespace& where, const Endpoint& from, const Endpoint& to, int type,
         std::size_t length) {
    auto space = must(network::NetworkNamespace::open(where.name()));
    fd_ = must(space.socket(from.address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM, 0));
    const int on = 1;
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    socklen_t size = 0;
    const auto local = raw_of(from, size);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&local), size) != 0) {
      stop("bind " + from.string());
    }
    const auto remote = raw_of(to, size);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&remote), size) != 0) {
      stop("connect " + to.string());
    }
    for (std::uint32_t i = 0; i < kSessions; ++i) {
      std::string message(length, '\0');
      message[0] = static_cast<char>(type);
      std::memcpy(message.data() + 4, &i, sizeof i);
      messages_.push_back(std::move(message));
    }
    for (std::string& message : messages_) pieces_.push_back({message.data(), message.size()});
    for (iovec& piece : pieces_) {
      mmsghdr one{};
      one.msg_hdr.msg_iov = &piece;
      one.msg_hdr.msg_iovlen = 1;
      headers_.push_back(one);
    }
  }

  /// Sends each of the thousand once. Refusals of a full receiver do not come back on this path.
  void send_all() {
    for (std::size_t at = 0; at < headers_.size();) {
      const auto count = static_cast<unsigned>(std::min<std::size_t>(64, headers_.size() - at));
      const int sent = ::sendmmsg(fd_.get(), headers_.data() + at, count, 0);
      if (sent <= 0) {
        if (errno == ECONNREFUSED || errno == ENOBUFS) continue;
        stop(std::string("send: ") + std::strerror(errno));
      }
      at += static_cast<std::size_t>(sent);
    }
  }

  /// Nanoseconds of processor time a packet, for one round. Forwarding runs in the sender's own
  /// call, so its clock sees it all, and does not see what else the machine is doing.
  double measure() {
    const auto begin = cpu_time();
    std::uint64_t packets = 0;
    auto now = begin;
    while (now - begin < kRound) {
      send_all();
      packets += headers_.size();
      now = cpu_time();
    }
    return std::chrono::duration<double, std::nano>(now - begin).count() /
           static_cast<double>(packets);
  }

 private:
  static sockaddr_storage raw_of(const Endpoint& at, socklen_t& size) {
    sockaddr_storage out{};
    auto* v4 = reinterpret_cast<sockaddr_in*>(&out);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out);
    if (at.address.is_v4()) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons(at.port);
      std::memcpy(&v4->sin_addr, at.address.raw().data(), 4);
      size = sizeof *v4;
    } else {
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(at.port);
      std::memcpy(&v6->sin6_addr, at.address.raw().data(), 16);
      size = sizeof *v6;
    }
    return out;
  }
  Fd fd_;
  std::vector<std::string> messages_;
  std::vector<iovec> pieces_;
  std::vector<mmsghdr> headers_;
};

struct Path {
  std::string name;
  Stream stream;
  std::vector<double> plain, steered;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

// What goes wrong here ends the program.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  const bool json = argc == 2 && std::string_view(argv[1]) == "--json";
  if (argc > 2 || (argc == 2 && !json)) {
    std::fprintf(stderr, "usage: weir-bench-steering [--json]\n");
    return 2;
  }
  Host host;
  auto director = must(director::NftDirector::open(
      host.topology, must(network::NetworkNamespace::open(host.router.name()))));
  director::Intent steering;
  steering.revision = 1;
  steering.active = {node("blue-1")};
  must(director.install(steering, {}));
  for (const auto& link : host.topology.nodes) must(director.attach(link.node));
  host.add_plain_routes();
  must("ip netns exec " + host.router.name() + " sysctl -qw net.ipv4.ip_forward=1;");

  const auto vip4 = endpoint("192.0.2.1:51820"), vip6 = endpoint("[2001:db8::1]:51820");
  const auto client4 = endpoint("192.168.77.2:4000"), client6 = endpoint("[fd77::2]:4000");
  const auto inner4 = endpoint("10.9.0.5:7000"), inner6 = endpoint("[fd09::5]:7000");
  const auto up4 = endpoint("203.0.113.10:7000"), up6 = endpoint("[2001:db8:2::10]:7000");
  constexpr std::size_t kLength = 128;
  std::vector<Path> paths;
  paths.push_back(
      {"outer, client to node, IPv4", {host.outside, client4, vip4, 4, kLength}, {}, {}});
  paths.push_back(
      {"outer, client to node, IPv6", {host.outside, client6, vip6, 4, kLength}, {}, {}});
  paths.push_back(
      {"outer, node to client, IPv4", {host.gateway, vip4, client4, 4, kLength}, {}, {}});
  paths.push_back(
      {"outer, node to client, IPv6", {host.gateway, vip6, client6, 4, kLength}, {}, {}});
  paths.push_back(
      {"inner, client to upstream, IPv4", {host.gateway, inner4, up4, 0, kLength}, {}, {}});
  paths.push_back(
      {"inner, client to upstream, IPv6", {host.gateway, inner6, up6, 0, kLength}, {}, {}});
  paths.push_back(
      {"inner, upstream to client, IPv4", {host.upstream, up4, inner4, 0, kLength}, {}, {}});
  paths.push_back(
      {"inner, upstream to client, IPv6", {host.upstream, up6, inner6, 0, kLength}, {}, {}});

  for (int round = 0; round < kRounds; ++round) {
    must("ip netns exec " + host.router.name() +
         " nft 'delete table inet weir; delete table ip weir; delete table ip6 weir';");
    for (Path& path : paths) path.plain.push_back(path.stream.measure());
    director::Learned learned;
    for (std::uint32_t i = 0; i < kSessions; ++i) learned.indices.emplace(i, node("blue-1"));
    must(director.install(steering, learned));
    for (Path& path : paths) path.steered.push_back(path.stream.measure());
  }
  const auto observed = must(director.read());
  for (const auto& [name, packets] : observed.counters) {
    if (packets != 0) stop("counter " + name + " is not zero: packets were not steered");
  }
  must(director.remove());

  nlohmann::json rows = nlohmann::json::array();
  if (!json)
    std::printf("%-34s %10s %10s %10s %8s\n", "ns a packet, median of 9", "plain", "steered",
                "rules", "ratio");
  for (const Path& path : paths) {
    const double plain = median(path.plain), steered = median(path.steered);
    rows.push_back({{"path", path.name},
                    {"plain_ns", plain},
                    {"steered_ns", steered},
                    {"ratio", plain / steered}});
    if (!json) {
      std::printf("%-34s %10.0f %10.0f %10.0f %8.2f\n", path.name.c_str(), plain, steered,
                  steered - plain, plain / steered);
    }
  }
  if (json) std::printf("%s\n", rows.dump(2).c_str());
  return 0;
}
