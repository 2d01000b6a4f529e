// The lab measures what others must not lose, so what it says is checked first: against a userspace
// gateway that drops exactly what it is told to drop.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "tests/folders.h"
#include "tests/lab/demo.h"
#include "tests/netns/temporary_namespace.h"
#include "tests/patience.h"

namespace weir::lab {
namespace {

using std::chrono::milliseconds;
using test::eventually;
using test::shell;

struct Removed {
  std::string folder = "/tmp/weirt-lab-" + std::to_string(::getpid());
  ~Removed() {
    [[maybe_unused]] const auto gone = tear_down(folder);
    std::filesystem::remove_all(folder);
  }
};

Lab::Options options_for(const std::string& folder) {
  Lab::Options out;
  out.folder = folder;
  out.name = "t" + std::to_string(::getpid());
  out.programs = test::build_folder() + "/bin";
  out.store = folder + "/store";
  out.trusted_key = folder + "/release.pub";
  return out;
}

/// wireguard-go in the director's own namespace, in place of pools: it owns the VIPs.
void start_gateway(const Lab& lab) {
  const std::string netns = lab.plan().director_netns;
  const std::string device = lab.plan().name + "gw";
  const std::string in = "ip netns exec " + netns + " ";
  std::string script = in + "wireguard-go " + device + " >/dev/null && ip -n " + netns +
                       " addr add 203.0.113.1/32 dev lo && ip -n " + netns +
                       " addr add 2001:db8:113::1/128 dev lo nodad && wg genkey > " +
                       lab.path("gateway.key") + " && wg set " + device +
                       " listen-port 51820 private-key " + lab.path("gateway.key");
  for (const ClientPlan& client : lab.plan().clients) {
    if (client.control) continue;
    const auto keys = lab.keys_of(client);
    REQUIRE(keys.has_value());
    script += " && wg set " + device + " peer " + keys->public_key + " allowed-ips " +
              client.inner[0].string() + "," + client.inner[1].string();
    if (client.preshared_key)
      script += " preshared-key " + lab.path("clients/" + client.name + ".psk");
  }
  script += " && ip -n " + netns + " link set " + device + " up mtu 1420 && ip -n " + netns +
            " route add 10.99.0.0/16 dev " + device + " && ip -n " + netns +
            " -6 route add fd00:99::/64 dev " + device;
  const auto done = shell(script);
  CAPTURE(done.text);
  REQUIRE(done.status == 0);
}

const PingLog& ping_of(const Report& report, const std::string& flow) {
  for (const PingLog& log : report.traffic.pings) {
    if (log.flow == flow) return log;
  }
  FAIL("no such flow: " << flow);
  return report.traffic.pings.front();
}

const StreamLog& stream_of(const Report& report, const std::string& flow) {
  for (const StreamLog& log : report.traffic.streams) {
    if (log.flow == flow) return log;
  }
  FAIL("no such flow: " << flow);
  return report.traffic.streams.front();
}

}  // namespace

TEST_CASE("a lab stands, counts what is lost and nothing else, and leaves nothing behind") {
  const Removed removed;
  const test::TemporaryNamespace only_to_know_whether_we_may("lab");
  auto lab = Lab::build(options_for(removed.folder));
  if (!lab) FAIL(lab.error().message);
  start_gateway(*lab);
  // The gateway here has a key of its own; the clients are told.
  const std::string key = shell("wg show " + lab->plan().name + "gw public-key").text.substr(0, 44);
  lab->use_gateway_key(key);
  auto session = Session::start(*lab, demo_clients());
  if (!session) FAIL(session.error().message);
  Traffic& traffic = session->traffic();
  const std::string netns = lab->plan().director_netns;
  const auto nft = [&](const std::string& command) {
    const auto done = shell("ip netns exec " + netns + " nft '" + command + "'");
    CAPTURE(done.text);
    REQUIRE(done.status == 0);
  };
  const auto reach = [&](std::uint64_t packets) {
    const auto from = traffic.count().sent;
    REQUIRE(eventually([&] { return traffic.count().sent >= from + packets; }));
  };

  SUBCASE("nothing") {
    reach(500);
    const Report report = session->finish();
    CHECK(verdicts(report).empty());
    REQUIRE(report.traffic.pings.size() == 6);
    for (const PingLog& log : report.traffic.pings) {
      CAPTURE(log.flow);
      CHECK(lost(log) == 0);
      CHECK(log.duplicates == 0);
      CHECK(sent(log) > 80);
    }
    for (const StreamLog& log : report.traffic.streams) CHECK(log.bytes_echoed > 20000);
  }
  SUBCASE("exactly seven requests of one client") {
    nft("add table ip t");
    nft("add chain ip t c { type filter hook forward priority 0; }");
    nft("add rule ip t c ip saddr " + find_client(lab->plan(), "plain")->inner[0].address.string() +
        " icmp type echo-request limit rate 1/day burst 7 packets counter drop");
    REQUIRE(eventually([&] {
      return shell("ip netns exec " + netns + " nft list chain ip t c").text.find("packets 7") !=
             std::string::npos;
    }));
    reach(300);
    const Report report = session->finish();
    CHECK(lost(ping_of(report, "plain > upstream")) == 7);
    CHECK(lost(ping_of(report, "talker > plain")) == 0);
    CHECK(lost(ping_of(report, "control > control server")) == 0);
    // Seven in a row: silent from the last reply to a request before them to the first after them.
    const auto& samples = ping_of(report, "plain > upstream").samples;
    UnixNs before = 0, after = 0;
    bool passed = false;
    for (const auto& sample : samples) {
      if (sample.received == 0) {
        passed = true;
      } else if (!passed) {
        before = std::max(before, sample.received);
      } else if (after == 0 || sample.received < after) {
        after = sample.received;
      }
    }
    const auto silence = longest_silence_ns(samples, {samples.front().sent, samples.back().sent});
    REQUIRE(before != 0);
    REQUIRE(after != 0);
    CHECK(silence >= after - before);
    CHECK(verdicts(report).size() == 1);
  }
  SUBCASE("a connection that is cut") {
    nft("add table ip t");
    nft("add chain ip t c { type filter hook forward priority 0; }");
    nft("add rule ip t c ip saddr " + find_client(lab->plan(), "nat")->inner[0].address.string() +
        " tcp dport >= 7000 limit rate 1/day burst 4 packets reject with tcp reset");
    reach(500);
    const Report report = session->finish();
    // A reset whose number the answers have overtaken is not taken (RFC 5961, section 3.2).
    CHECK(stream_of(report, "nat > upstream").resets >= 1);
    CHECK(stream_of(report, "plain > upstream").resets == 0);
    CHECK_FALSE(verdicts(report).empty());
  }

  const std::string name = lab->plan().name;
  const std::string folder = lab->folder();
  CHECK(tear_down(folder).has_value());
  shell("kill $(ip netns pids " + netns + ") 2>/dev/null");
  CHECK(shell("ip netns list | grep -c ^" + name + "-").text == "0\n");
  CHECK(shell("ls /var/run/wireguard | grep -c ^" + name + "c").text == "0\n");
  CHECK(shell("ps -eo args | grep -c '[w]ireguard-go.*" + name + "'").text == "0\n");
  CHECK(tear_down(folder).has_value());
}

}  // namespace weir::lab
