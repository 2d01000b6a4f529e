#include "deployer/rollout/terms/checks.h"

#include <doctest/doctest.h>

namespace weir::deployer {
namespace {

NodeId node_id(const char* name) {
  return *NodeId::parse(name);
}

PublicKey key(std::uint8_t n) {
  std::array<std::uint8_t, 32> raw{};
  raw[0] = n;
  return PublicKey::from_raw(raw);
}

manifests::Release release() {
  const Digest digest = Digest::of(as_bytes("lock"));
  return {.name = *ReleaseName::parse("gateway"),
          .architecture = "amd64",
          .source_epoch = 0,
          .lock_digest = digest,
          .kernel = {"linux-image", "6.12-1", "6.12.1-cloud", "aaaa", {digest, {}}},
          .modules = {{"wireguard", "linux-image", "1.0.0", "SRC", "vermagic", "bbbb", digest, ""}},
          .tools = {{"wireguard-tools", "1.0.2", "amd64"}},
          .packages = {},
          .provides = {},
          .layers = {},
          .command_line = {},
          .sources = {},
          .builder_version = {}};
}

manifests::NodeIdentity identity() {
  return {.node = node_id("green-1"),
          .boot_id = "boot",
          .lock_digest = Digest::of(as_bytes("lock")),
          .kernel_release = "6.12.1-cloud",
          .kernel_build_id = "aaaa",
          .modules = {{"virtio_net", "", "", ""}, {"wireguard", "1.0.0", "SRC", "bbbb"}},
          .tools = {{"wireguard-tools", "1.0.2", ""}},
          .clock_unix_ns = 0,
          .seal_key = key(9),
          .wireguard_key = {},
          .agent_version = "1"};
}

manifests::Peer peer(std::uint8_t n) {
  return {
      "peer-" + std::to_string(n), key(n), {*Prefix::parse("10.0.0." + std::to_string(n))}, {}, {}};
}

std::vector<manifests::PeerState> known(std::initializer_list<std::uint8_t> numbers) {
  std::vector<manifests::PeerState> out;
  for (const std::uint8_t n : numbers) {
    out.push_back({key(n), peer(n).allowed_ips, false, {}, 0, 0, 0, 0});
  }
  return out;
}

}  // namespace

TEST_CASE("a node that runs its release passes") {
  CHECK(check_identity(release(), identity()).has_value());
}

TEST_CASE("each fact that differs is named, with both values") {
  manifests::NodeIdentity about = identity();
  std::string fact, got;
  SUBCASE("lock digest") {
    about.lock_digest = Digest::of(as_bytes("another"));
    fact = "lock digest";
    got = about.lock_digest.string();
  }
  SUBCASE("kernel") {
    about.kernel_release = got = "6.1.0";
    fact = "kernel";
  }
  SUBCASE("kernel build") {
    about.kernel_build_id = got = "cccc";
    fact = "kernel build id";
  }
  SUBCASE("module build") {
    about.modules[1].build_id = got = "dddd";
    fact = "module wireguard build id";
  }
  SUBCASE("module source") {
    about.modules[1].srcversion = got = "X";
    fact = "module wireguard srcversion";
  }
  SUBCASE("module missing") {
    about.modules.pop_back();
    fact = "module wireguard";
    got = "not loaded";
  }
  SUBCASE("tool") {
    about.tools[0].version = got = "1.0.3";
    fact = "tool wireguard-tools";
  }
  SUBCASE("tool missing") {
    about.tools.clear();
    fact = "tool wireguard-tools";
    got = "(none)";
  }
  const auto checked = check_identity(release(), about);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().code == Errc::integrity);
  CAPTURE(checked.error().message);
  CHECK(checked.error().message.find("green-1") != std::string::npos);
  CHECK(checked.error().message.find(fact) != std::string::npos);
  CHECK(checked.error().message.find(got) != std::string::npos);
}

TEST_CASE("a node that lacks a registered peer, or has another address for it, is refused") {
  const std::map<PublicKey, manifests::Peer> registry = {{key(1), peer(1)}, {key(2), peer(2)}};
  CHECK(check_peers(registry, node_id("green-1"), PeerTable(known({4, 2, 1}))).has_value());

  const auto lacking = check_peers(registry, node_id("green-1"), PeerTable(known({1})));
  REQUIRE_FALSE(lacking.has_value());
  CHECK(lacking.error().message.find("peer-2") != std::string::npos);

  auto other = known({1, 2});
  other[1].allowed_ips = {*Prefix::parse("10.0.0.77")};
  const auto differing = check_peers(registry, node_id("green-1"), PeerTable(other));
  REQUIRE_FALSE(differing.has_value());
  CHECK(differing.error().message.find("allowed IPs") != std::string::npos);
}

TEST_CASE("the order of allowed IPs does not matter") {
  manifests::Peer two = peer(1);
  two.allowed_ips = {*Prefix::parse("10.0.0.1"), *Prefix::parse("fd00::1")};
  auto on_node = known({1});
  on_node[0].allowed_ips = {*Prefix::parse("fd00::1"), *Prefix::parse("10.0.0.1")};
  CHECK(check_peers({{key(1), two}}, node_id("green-1"), PeerTable(on_node)).has_value());
}

TEST_CASE("peers are found whatever the order of a dump, and of two that are one the last counts") {
  auto dump = known({9, 3, 7, 3});
  dump[3].rx_bytes = 5;
  const PeerTable table(dump);
  CHECK(table.size() == 3);
  REQUIRE(table.find(key(3)) != nullptr);
  CHECK(table.find(key(3))->rx_bytes == 5);
  CHECK(table.find(key(9)) != nullptr);
  CHECK(table.find(key(4)) == nullptr);
}

TEST_CASE("clocks may differ by the limit and no more, in either direction") {
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  CHECK(check_clocks({}, milliseconds(1)).has_value());
  CHECK(check_clocks({{node_id("a"), microseconds(-100000)}, {node_id("b"), microseconds(100000)}},
                     milliseconds(200))
            .has_value());
  const auto behind = check_clocks(
      {{node_id("blue-1"), microseconds(10)}, {node_id("green-1"), milliseconds(-5000)}},
      milliseconds(200));
  REQUIRE_FALSE(behind.has_value());
  CHECK(behind.error().message.find("node green-1 is 5000 ms behind that of node blue-1") !=
        std::string::npos);
}

}  // namespace weir::deployer
