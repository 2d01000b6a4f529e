#include "tests/netns/director/lab.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>

#include "deployer/steering/edit.h"
#include "tests/patience.h"
#include "tests/unit/deployer/director/fixture.h"

namespace weir::director::test {
namespace {

#ifndef IPV6_FREEBIND
constexpr int IPV6_FREEBIND = 78;  // linux/in6.h
#endif
constexpr std::uint16_t kInnerPort = 7000;
constexpr std::size_t kLengths[] = {0, 148, 92, 64, 32};

/// Runs commands in a shell and stops the test where one fails.
void must(const std::string& commands) {
  const auto out = weir::test::shell("set -e; " + commands + " true");
  INFO(commands);
  INFO(out.text);
  REQUIRE(out.status == 0);
}

sockaddr_storage raw_of(const Endpoint& endpoint, socklen_t& length) {
  sockaddr_storage out{};
  if (endpoint.address.is_v4()) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(endpoint.port);
    std::memcpy(&to.sin_addr, endpoint.address.raw().data(), 4);
    std::memcpy(&out, &to, sizeof to);
    length = sizeof to;
  } else {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(endpoint.port);
    std::memcpy(&to.sin6_addr, endpoint.address.raw().data(), 16);
    std::memcpy(&out, &to, sizeof to);
    length = sizeof to;
  }
  return out;
}

/// A message of the given type with its index field, in the layout of the WireGuard white paper,
/// section 5.4; the rest is zero.
std::string message_of(int type, std::size_t index_at, std::uint32_t index, std::size_t length) {
  std::string out(length == 0 ? kLengths[type] : length, '\0');
  out[0] = static_cast<char>(type);
  for (std::size_t i = 0; i < 4; ++i) {
    out[index_at + i] = static_cast<char>(index >> (8 * i) & 0xff);
  }
  return out;
}

}  // namespace

Lab::Lab(const std::vector<NodeId>& active)
    : topology_(director::test::topology()),
      host_("dir-host"),
      outside_("dir-out"),
      upstream_("dir-up") {
  for (const auto& link : topology_.nodes) {
    nodes_.emplace_back("dir-n" + std::to_string(link.number));
  }
  const std::string host = host_.name();
  const auto quiet = [](const std::string& name) {
    // Test links have two ends: nothing to detect, and no wait for it.
    return "ip netns exec " + name + " sysctl -qw net.ipv6.conf.default.accept_dad=0 " +
           "net.ipv6.conf.all.accept_dad=0 net.ipv4.conf.all.rp_filter=0 " +
           "net.ipv4.conf.default.rp_filter=0; ";
  };
  std::string setup = quiet(host) + quiet(outside_.name()) + quiet(upstream_.name());
  const auto wire = [&](const std::string& mine, const TemporaryNamespace& other,
                        const std::string& theirs) {
    setup += "ip -n " + host + " link add " + mine + " type veth peer name " + theirs + " netns " +
             other.name() + "; ip -n " + host + " link set " + mine + " up; ip -n " + other.name() +
             " link set " + theirs + " up; ";
  };
  wire("pub0", outside_, "c0");
  wire("up0", upstream_, "u0");
  setup += "ip -n " + host + " addr add 192.168.77.1/30 dev pub0; ip -n " + host +
           " addr add fd77::1/64 dev pub0; ip -n " + host +
           " addr add 203.0.113.1/24 dev up0; ip -n " + host +
           " addr add 2001:db8:2::1/64 dev up0; " + "ip -n " + host +
           " route add 198.51.100.0/24 via 192.168.77.2; ip -n " + host +
           " route add 2001:db8:1::/64 via fd77::2; ";
  const std::string out = "ip -n " + outside_.name() + " ";
  setup += out + "addr add 192.168.77.2/30 dev c0; " + out + "addr add fd77::2/64 dev c0; " + out +
           "route add default via 192.168.77.1; " + out + "route add default via fd77::1; " + out +
           "route add local 198.51.100.0/24 dev lo; " + out +
           "route add local 2001:db8:1::/64 dev lo; ";
  const std::string up = "ip -n " + upstream_.name() + " ";
  setup += up + "addr add 203.0.113.10/24 dev u0; " + up + "addr add 2001:db8:2::10/64 dev u0; " +
           up + "route add default via 203.0.113.1; " + up +
           "route add default via 2001:db8:2::1; ";
  must(setup);

  for (const auto& link : topology_.nodes) {
    const TemporaryNamespace& node = nodes_.at(link.number - 1);
    setup = quiet(node.name());
    wire(link.data_interface, node, "d0");
    wire(link.management_interface, node, "m0");
    const std::string in = "ip -n " + node.name() + " ";
    setup += in + "addr add 192.0.2.1/32 dev lo; " + in +
             "addr add 2001:db8::1/128 dev lo nodad; " + in + "addr add " + link.node_v4.string() +
             "/31 dev d0; " + in + "addr add " + link.node_v6.string() + "/127 dev d0 nodad; " +
             in + "addr add " + link.node_management.string() + "/31 dev m0; " + in +
             "route add default via " + link.director_v4.string() + " dev d0 src 192.0.2.1; " + in +
             "route add default via " + link.director_v6.string() + " dev d0 src 2001:db8::1; ";
    // Client 5 may be on any node; 6 on blue-1 and green-1, 7 on blue-2: those cross the director
    // to each other, and no node takes a source for its own.
    const std::string other = link.number == 2 ? "7" : "6";
    setup += in + "route add local 10.9.0.5/32 dev lo; " + in +
             "route add local fd09::5/128 dev lo; " + in + "route add local 10.9.1.0/24 dev lo; " +
             in + "route add local 10.9.0." + other + "/32 dev lo; " + in +
             "route add local fd09::" + other + "/128 dev lo; ";
    must(setup);
  }

  auto where = network::NetworkNamespace::open(host_.name());
  REQUIRE(where);
  auto director = NftDirector::open(topology_, std::move(*where));
  REQUIRE(director);
  director_ = std::make_unique<NftDirector>(std::move(*director));
  Intent steering;
  steering.revision = 1;
  steering.active = equal_weights(active);
  const auto installed = director_->install(steering, {});
  INFO((installed ? "" : installed.error().message));
  REQUIRE(installed);
  for (const auto& link : topology_.nodes) {
    const auto attached = director_->attach(link.node);
    INFO((attached ? "" : attached.error().message));
    REQUIRE(attached);
    // Neighbours are resolved before any packet is judged by its absence.
    must("ip netns exec " + host + " ping -q -c1 -W3 " + link.node_v4.string() + " >/dev/null; " +
         "ip netns exec " + host + " ping -q -c1 -W3 " + link.node_v6.string() + " >/dev/null; " +
         "ip netns exec " + host + " ping -q -c1 -W3 " + link.node_management.string() +
         " >/dev/null;");
    const std::string n = std::to_string(link.number);
    const TemporaryNamespace& node = nodes_.at(link.number - 1);
    socket(node, "node" + n, {*topology_.vip.ipv4, topology_.vip.port});
    socket(node, "node" + n + "v6", {*topology_.vip.ipv6, topology_.vip.port});
    socket(node, "inner" + n, {address("0.0.0.0"), kInnerPort});
    socket(node, "inner" + n + "v6", {address("::"), kInnerPort});
  }
  must("ip netns exec " + host + " ping -q -c1 -W3 192.168.77.2 >/dev/null; ip netns exec " + host +
       " ping -q -c1 -W3 fd77::2 >/dev/null; ip netns exec " + host +
       " ping -q -c1 -W3 203.0.113.10 >/dev/null; ip netns exec " + host +
       " ping -q -c1 -W3 2001:db8:2::10 >/dev/null;");
  socket(upstream_, "upstream", {address("0.0.0.0"), kInnerPort});
  socket(upstream_, "upstreamv6", {address("::"), kInnerPort});
}

Fd& Lab::socket(const TemporaryNamespace& where, const std::string& name, const Endpoint& bound) {
  const auto found = listeners_.find(name);
  if (found != listeners_.end()) return found->second.fd;
  auto space = network::NetworkNamespace::open(where.name());
  REQUIRE(space);
  const bool v4 = bound.address.is_v4();
  auto fd = space->socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  REQUIRE(fd);
  const int on = 1;
  if (!v4) {
    ::setsockopt(fd->get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    // A whole prefix is local here, of which IPv6 does not believe each address by itself.
    ::setsockopt(fd->get(), IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
  }
  socklen_t length = 0;
  const auto raw = raw_of(bound, length);
  INFO(name);
  REQUIRE(::bind(fd->get(), reinterpret_cast<const sockaddr*>(&raw), length) == 0);
  return listeners_.emplace(name, Listener{name, std::move(*fd)}).first->second.fd;
}

void Lab::close_node_sockets() {
  std::erase_if(listeners_, [](const auto& it) { return it.first.starts_with("node"); });
}

void Lab::collect(int milliseconds) {
  std::vector<pollfd> all;
  std::vector<const Listener*> who;
  for (const auto& [_, listener] : listeners_) {
    all.push_back({listener.fd.get(), POLLIN, 0});
    who.push_back(&listener);
  }
  if (::poll(all.data(), all.size(), milliseconds) <= 0) return;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].revents == 0) continue;
    std::array<char, 65536> buffer{};
    for (;;) {
      const ssize_t got = ::recv(all[i].fd, buffer.data(), buffer.size(), 0);
      if (got < 0) break;
      const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
      // The tag is the only place where these four bytes stand.
      const auto at = text.find("riew");
      if (at == std::string_view::npos || at < 4) continue;
      std::uint64_t tag = 0;
      std::memcpy(&tag, text.data() + at - 4, sizeof tag);
      std::string name = who[i]->name;
      if (name.size() > 2 && name.substr(name.size() - 2) == "v6") name.resize(name.size() - 2);
      seen_[tag].insert(name);
    }
  }
}

std::multiset<std::string> Lab::receivers(std::uint64_t tag) {
  const auto deadline = std::chrono::steady_clock::now() + weir::test::kPatience;
  while (!seen_.contains(tag) && std::chrono::steady_clock::now() < deadline) collect(100);
  collect(0);
  return seen_[tag];
}

std::multiset<std::string> Lab::receivers_so_far(std::uint64_t tag) {
  collect(0);
  const auto found = seen_.find(tag);
  return found == seen_.end() ? std::multiset<std::string>{} : found->second;
}

std::uint64_t Lab::send(Fd& fd, const Endpoint& to, std::string message, std::size_t tag_at) {
  const std::uint64_t tag = ++next_tag_;
  std::memcpy(message.data() + tag_at, &tag, sizeof tag);
  socklen_t length = 0;
  const auto raw = raw_of(to, length);
  const ssize_t sent = ::sendto(fd.get(), message.data(), message.size(), 0,
                                reinterpret_cast<const sockaddr*>(&raw), length);
  INFO(std::strerror(errno));
  REQUIRE(sent == static_cast<ssize_t>(message.size()));
  return tag;
}

std::uint64_t Lab::client_sends(const Endpoint& from, int type, std::uint32_t index,
                                std::size_t length) {
  Fd& fd = socket(outside_, "client " + from.string(), from);
  const auto& vip = from.address.is_v4() ? topology_.vip.ipv4 : topology_.vip.ipv6;
  // Responses name the receiver behind the sender.
  return send(fd, {*vip, topology_.vip.port}, message_of(type, type == 2 ? 8 : 4, index, length),
              16);
}

std::uint64_t Lab::node_sends(std::uint32_t number, const Endpoint& to, int type,
                              std::uint32_t index, std::size_t length) {
  socket(outside_, "client " + to.string(), to);
  const std::string name = "node" + std::to_string(number) + (to.address.is_v6() ? "v6" : "");
  return send(listeners_.at(name).fd, to, message_of(type, 4, index, length), 16);
}

void Lab::node_answers(std::uint32_t number, const Endpoint& to) {
  const std::string name = "node" + std::to_string(number) + (to.address.is_v6() ? "v6" : "");
  send(listeners_.at(name).fd, to, message_of(2, 4, number, 0), 16);
}

std::uint64_t Lab::inner_sends(std::uint32_t number, const IpAddress& from, const IpAddress& to) {
  const std::string n = std::to_string(number);
  Fd& fd = socket(node(number), "from " + n + " " + from.string() + (from.is_v6() ? " v6" : ""),
                  {from, static_cast<std::uint16_t>(kInnerPort + 1)});
  return send(fd, {to, kInnerPort}, std::string(16, '\0'), 0);
}

std::uint64_t Lab::upstream_sends(const IpAddress& to) {
  Fd& fd = listeners_.at(to.is_v6() ? "upstreamv6" : "upstream").fd;
  return send(fd, {to, kInnerPort}, std::string(16, '\0'), 0);
}

std::uint32_t Lab::node_for(const Endpoint& from, int type, std::uint32_t index) {
  const auto tag = client_sends(from, type, index);
  // Pings to the public address pass whatever the steering: once one is answered, all that was sent
  // before it has gone where it goes.
  const auto vip = from.address.is_v4() ? topology_.vip.ipv4 : topology_.vip.ipv6;
  must("ip netns exec " + outside_.name() + " ping -q -c1 -W3 " + vip->string() + " >/dev/null;");
  const auto got = receivers_so_far(tag);
  CHECK(got.size() <= 1);
  for (const auto& link : topology_.nodes) {
    if (got.contains("node" + std::to_string(link.number))) return link.number;
  }
  return 0;
}

std::uint32_t Lab::node_for_inner(const IpAddress& to) {
  const auto got = receivers(upstream_sends(to));
  CHECK(got.size() <= 1);
  for (const auto& link : topology_.nodes) {
    if (got.contains("inner" + std::to_string(link.number))) return link.number;
  }
  return 0;
}

bool Lab::reaches(std::uint32_t number, const Endpoint& to, int type, std::uint32_t index) {
  const auto tag = node_sends(number, to, type, index);
  // Cookie replies always pass and teach nothing.
  const auto after = node_sends(number, to, 3, index);
  CHECK(receivers(after) == std::multiset<std::string>{"client " + to.string()});
  const auto got = receivers_so_far(tag);
  CHECK(got.size() <= 1);
  return got.contains("client " + to.string());
}

bool Lab::inner_passes(std::uint32_t number, const IpAddress& from, const IpAddress& to,
                       const std::string& receiver) {
  const auto tag = inner_sends(number, from, to);
  const IpAddress known = address(from.is_v6() ? "fd09::5" : "10.9.0.5");
  const auto after = inner_sends(number, known, address(from.is_v6() ? kUpstream6 : kUpstream4));
  CHECK(receivers(after) == std::multiset<std::string>{"upstream"});
  return receivers_so_far(tag).contains(receiver);
}

Intent Lab::change(const std::function<void(Intent&)>& edit) {
  const auto before = director_->read();
  INFO((before ? "" : before.error().message));
  REQUIRE(before);
  Intent after = before->steering;
  edit(after);
  after.revision = before->steering.revision + 1;
  const auto done = director_->apply(diff(before->steering, after));
  INFO((done ? "" : done.error().message));
  REQUIRE(done);
  return after;
}

std::uint64_t Lab::counter(const std::string& name) {
  const auto observed = director_->read();
  REQUIRE(observed);
  return observed->counters.at(name);
}

}  // namespace weir::director::test
