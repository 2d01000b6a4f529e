// Steering under a real protocol: wireguard-go as client and on two nodes that share one private
// key.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <sstream>
#include <thread>

#include "tests/netns/director/lab.h"
#include "tests/patience.h"
#include "tests/unit/deployer/director/fixture.h"
#include "tests/wireguard_go.h"

using namespace weir::director;
using namespace weir::director::test;
using weir::test::shell;

namespace {

void must(const std::string& command) {
  const auto out = shell(command);
  INFO(command);
  INFO(out.text);
  REQUIRE(out.status == 0);
}

std::string line_of(const std::string& command) {
  auto out = shell(command);
  INFO(command);
  REQUIRE(out.status == 0);
  while (!out.text.empty() && out.text.back() == '\n') out.text.pop_back();
  return out.text;
}

/// One wireguard-go in a namespace. Its name is unique on the machine, as its sockets share a
/// folder.
class WireGuard {
 public:
  WireGuard(const TemporaryNamespace& where, const std::string& tag)
      : where_(where.name()), name_("wd" + std::to_string(::getpid() % 100000) + tag) {
    pid_ = ::fork();
    if (pid_ == 0) {
      std::freopen("/dev/null", "w", stdout);
      std::freopen("/dev/null", "w", stderr);
      ::execlp("ip", "ip", "netns", "exec", where_.c_str(), "wireguard-go", "-f", name_.c_str(),
               static_cast<char*>(nullptr));
      ::_exit(127);
    }
    REQUIRE(weir::test::eventually([&] { return weir::test::wireguard_go_listens(name_); }));
    must("ip -n " + where_ + " link set " + name_ + " up mtu 1380");
  }
  WireGuard(const WireGuard&) = delete;
  WireGuard& operator=(const WireGuard&) = delete;
  ~WireGuard() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  void set(const std::string& what) const { must("wg set " + name_ + " " + what); }
  /// Handshake time in seconds, received and sent bytes of the only peer.
  [[nodiscard]] std::uint64_t handshake() const { return field(5); }
  [[nodiscard]] std::uint64_t received() const { return field(6); }

 private:
  [[nodiscard]] std::uint64_t field(int number) const {
    std::istringstream fields(line_of("wg show " + name_ + " dump | tail -n 1"));
    std::string word;
    for (int i = 0; i < number; ++i) fields >> word;
    return std::stoull(word);
  }
  std::string where_, name_;
  pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("a live client is moved to another node and back without losing a ping") {
  if (shell("command -v wireguard-go && command -v wg").status != 0) {
    FAIL("wireguard-go or wg is not installed (./run setup)");
  }
  Lab lab({node("blue-1")});
  lab.close_node_sockets();
  const WireGuard blue(lab.node(1), "b");
  const WireGuard green(lab.node(3), "g");
  const WireGuard client(lab.outside(), "c");

  const std::string folder = line_of("mktemp -d");
  must("cd " + folder +
       " && umask 077 && wg genkey > gateway && wg genkey > client && wg genpsk > psk");
  const std::string gateway_key = line_of("wg pubkey < " + folder + "/gateway");
  const std::string client_key = line_of("wg pubkey < " + folder + "/client");
  const std::string inner = "10.9.3.3";
  const std::string as_peer =
      "peer " + client_key + " preshared-key " + folder + "/psk allowed-ips " + inner + "/32";
  for (const auto& [gateway, number] : {std::pair{&blue, 1U}, std::pair{&green, 3U}}) {
    gateway->set("listen-port 51820 private-key " + folder + "/gateway " + as_peer);
    // A node never hairpins: what a tunnel brings goes to the director.
    const std::string in = "ip -n " + lab.node(number).name() + " ";
    const auto& link = lab.topology().nodes.at(number - 1);
    must(in + "route add 10.9.3.0/24 dev " + gateway->name() + " && " + in + "rule add iif " +
         gateway->name() + " lookup 100 && " + in + "route add default via " +
         link.director_v4.string() + " dev d0 table 100 && ip netns exec " +
         lab.node(number).name() + " sysctl -qw net.ipv4.ip_forward=1");
  }
  client.set("listen-port 4000 private-key " + folder + "/client peer " + gateway_key +
             " preshared-key " + folder +
             "/psk endpoint 192.0.2.1:51820 allowed-ips 203.0.113.0/24");
  const std::string out = "ip -n " + lab.outside().name() + " ";
  must(out + "addr add " + inner + "/32 dev " + client.name() + " && " + out +
       "route add 203.0.113.0/24 dev " + client.name());
  must("rm -r " + folder + "/gateway " + folder + "/client");

  const std::string ping = "ip netns exec " + lab.outside().name() + " ping ";
  must(ping + "-c1 -W5 " + Lab::kUpstream4);
  CHECK(blue.handshake() > 0);
  CHECK(green.handshake() == 0);
  const auto endpoint_of_client = endpoint("192.168.77.2:4000");
  const std::string reachable = " endpoint 192.168.77.2:4000";

  weir::test::Output pings;
  std::thread pinging([&] { pings = shell(ping + "-i 0.02 -c 400 -W 2 " + Lab::kUpstream4); });
  const auto move = [&](const WireGuard& to, const weir::NodeId& target) {
    lab.change([&](Intent& s) {
      s.kicks.insert({target, endpoint_of_client});
      s.holds.insert({target, endpoint_of_client});
    });
    // A peer that has an old session here is made anew: then nothing but a handshake can follow.
    to.set("peer " + client_key + " remove");
    to.set(as_peer + reachable + " persistent-keepalive 1");
    to.set("peer " + client_key + " persistent-keepalive 0");
    REQUIRE(weir::test::eventually([&] { return to.handshake() > 0; }));
    CHECK(to.received() == 92);  // the response, and not a byte of data
    lab.change([&](Intent& s) {
      s.kicks.erase({target, endpoint_of_client});
      s.holds.erase({target, endpoint_of_client});
      s.homes.insert_or_assign(endpoint_of_client, target);
      s.assigned.insert_or_assign(prefix(inner + "/32"), target);
    });
    to.set("peer " + client_key + " persistent-keepalive 1");
    to.set("peer " + client_key + " persistent-keepalive 0");
    REQUIRE(weir::test::eventually([&] { return to.received() > 92; }));
  };
  move(green, node("green-1"));
  const auto left_behind = blue.received();
  const auto there = green.received();
  REQUIRE(weir::test::eventually([&] { return green.received() > there + 2000; }));
  CHECK(blue.received() == left_behind);  // everything the client sends goes to green now
  CHECK(lab.director().read()->learned.inner.at(address(inner)) == node("green-1"));
  move(blue, node("blue-1"));
  pinging.join();
  INFO(pings.text);
  CHECK(pings.text.find("400 packets transmitted, 400 received") != std::string::npos);
  must("rm -r " + folder);
}
