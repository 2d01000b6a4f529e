// One machine at a time: what a baked node is, says and does. Expected values come from the signed
// release and from the image's own `wg`.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "deployer/pool/edge/memfd.h"
#include "tests/folders.h"
#include "tests/vm/fleet_fixture.h"
#include "tests/vm/must.h"
#include "tests/vm/single_node.h"

namespace weir::test {
namespace {

using namespace std::chrono_literals;
using manifests::PeerDiff;
using manifests::PeerState;

constexpr const char* kClientInner = "10.8.0.2";

/// A peer key that nobody holds: `number` in its first bytes.
PublicKey synthetic_key(std::uint32_t number) {
  std::array<std::uint8_t, 32> raw{};
  raw[0] = static_cast<std::uint8_t>(number);
  raw[1] = static_cast<std::uint8_t>(number >> 8);
  raw[2] = static_cast<std::uint8_t>(number >> 16);
  raw[31] = 0x40;
  return PublicKey::from_raw(raw);
}

manifests::PeerSpec synthetic_peer(std::uint32_t number) {
  const auto v4 = must(IpAddress::parse("10.8.16.0")).plus(number);
  const auto v6 = must(IpAddress::parse("fd00:8:0:1::")).plus(number);
  return {synthetic_key(number), {{v4, 32}, {v6, 128}}, {}, {}};
}

std::vector<std::string> fields_of(const std::string& line, char separator) {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, separator);) out.push_back(field);
  return out;
}

/// The peers of `wg show all dump` (wg(8)), by key, to the second.
std::map<std::string, PeerState> peers_of_tool(const std::string& dump) {
  std::map<std::string, PeerState> out;
  for (const std::string& line : fields_of(dump, '\n')) {
    const auto fields = fields_of(line, '\t');
    if (fields.size() != 9) continue;
    PeerState peer{
        .public_key = must(PublicKey::parse(fields[1])), .allowed_ips = {}, .endpoint = {}};
    peer.has_preshared_key = fields[2] == "(hidden)";
    if (fields[3] != "(none)") peer.endpoint = must(Endpoint::parse(fields[3]));
    if (fields[4] != "(none)") {
      for (const std::string& text : fields_of(fields[4], ',')) {
        peer.allowed_ips.push_back(must(Prefix::parse(text)));
      }
    }
    std::sort(peer.allowed_ips.begin(), peer.allowed_ips.end());
    peer.last_handshake_unix_ns = std::stoll(fields[5]) * 1'000'000'000;
    peer.rx_bytes = std::stoull(fields[6]);
    peer.tx_bytes = std::stoull(fields[7]);
    peer.keepalive_seconds =
        fields[8] == "off" ? 0 : static_cast<std::uint16_t>(std::stoul(fields[8]));
    out.emplace(fields[1], std::move(peer));
  }
  return out;
}

void check_dump_agrees_with_tool(SingleNode& node) {
  const auto dump = must(node.api().peers());
  const auto tool = peers_of_tool(must(node.api().tool_dump()));
  REQUIRE(tool.size() == dump.peers.size());
  for (PeerState ours : dump.peers) {
    ours.last_handshake_unix_ns -= ours.last_handshake_unix_ns % 1'000'000'000;
    const auto theirs = tool.find(ours.public_key.string());
    REQUIRE(theirs != tool.end());
    if (!(ours == theirs->second)) {
      FAIL_CHECK("peer " << ours.public_key.string() << " differs from wg's dump");
      return;
    }
  }
}

PeerState state_of(SingleNode& node, const PublicKey& key) {
  for (const PeerState& peer : must(node.api().peers()).peers) {
    if (peer.public_key == key) return peer;
  }
  FAIL("peer " << key.string() << " is not on the node");
  std::abort();
}

void check_identity(const manifests::NodeIdentity& seen, const manifests::Release& release) {
  CHECK(seen.lock_digest == release.lock_digest);
  CHECK(seen.kernel_release == release.kernel.release);
  CHECK(seen.kernel_build_id == release.kernel.build_id);
  std::size_t compared = 0;
  for (const auto& module : release.modules) {
    for (const auto& loaded : seen.modules) {
      if (loaded.name != module.name) continue;
      CAPTURE(module.name);
      CHECK(loaded.build_id == module.build_id);
      CHECK(loaded.srcversion == module.srcversion);
      ++compared;
    }
  }
  CHECK(compared ==
        static_cast<std::size_t>(std::count_if(release.modules.begin(), release.modules.end(),
                                               [](const auto& module) { return module.pinned; })));
  CHECK(seen.tools.size() == release.tools.size());
  CHECK_FALSE(seen.wireguard_key.has_value());
}

/// The node was asked for nothing secret, and what it says about itself holds none.
void check_logs(SingleNode& node, const std::vector<std::string>& secrets) {
  const std::string logs = must(node.api().logs());
  CHECK(logs.find("serves its API") != std::string::npos);
  for (const std::string& secret : secrets) CHECK(logs.find(secret) == std::string::npos);
  const std::string dump = must(node.api().tool_dump());
  CHECK(dump.find("(hidden)") != std::string::npos);
  for (const std::string& secret : secrets) CHECK(dump.find(secret) == std::string::npos);
}

/// 2000 peers at once, one of them with more allowed IPs than a message holds.
void check_many_peers(SingleNode& node, const PublicKey& seal_key) {
  constexpr std::uint32_t kPeers = 2000;
  PeerDiff diff;
  for (std::uint32_t i = 0; i < kPeers; ++i) {
    diff.put.push_back(synthetic_peer(i));
    if (i % 5 == 0)
      diff.put.back().sealed_preshared_key = seal(synthetic_key(i).string(), seal_key);
    if (i % 100 != 7) continue;
    diff.put.back().endpoint =
        Endpoint{must(IpAddress::parse(i % 200 == 7 ? "192.0.2.9" : "2001:db8::9")),
                 static_cast<std::uint16_t>(1000 + i)};
  }
  for (std::uint32_t i = 0; i < 3000; ++i) {
    diff.put[3].allowed_ips.push_back({must(IpAddress::parse("10.9.0.0")).plus(i), 32});
  }
  const auto started = std::chrono::steady_clock::now();
  must(node.api().apply(diff));
  const auto took = std::chrono::steady_clock::now() - started;
  MESSAGE("2000 peers in " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
                           << " ms");
  const auto dump = must(node.api().peers());
  CHECK(dump.peers.size() == kPeers);
  CHECK(state_of(node, synthetic_key(3)).allowed_ips.size() == 3002);
  CHECK(state_of(node, synthetic_key(207)).endpoint->string() == "192.0.2.9:1207");
  check_dump_agrees_with_tool(node);

  // Again: nothing changes. Then all of them go, in one diff too.
  must(node.api().apply(diff));
  CHECK(must(node.api().peers()).peers == dump.peers);
  PeerDiff removal;
  for (const auto& peer : diff.put) removal.remove.push_back(peer.public_key);
  must(node.api().apply(removal));
  CHECK(must(node.api().peers()).peers.empty());
}

/// Prepare, commit, give up with a live client, as DESIGN.md and docs/node-api.md say it.
void check_moves(SingleNode& node, LiveClient& client, const PublicKey& key) {
  // The kernel counts what it sent once that is encrypted, a moment after it tells of the
  // handshake.
  const auto sent = [&](std::uint64_t bytes) {
    return eventually([&] { return state_of(node, key).tx_bytes >= bytes; }) &&
           state_of(node, key).tx_bytes == bytes;
  };
  must(node.api().prepare({{{key, client.endpoint()}}}));
  REQUIRE(eventually([&] { return state_of(node, key).last_handshake_unix_ns != 0; }));
  CHECK(sent(180));
  PeerState prepared = state_of(node, key);
  CHECK(prepared.rx_bytes == 92);
  CHECK(prepared.keepalive_seconds == 0);

  must(node.api().commit({{key}}));
  CHECK(sent(212));
  CHECK(client.pings(SingleNode::kUpstream));
  CHECK(state_of(node, key).rx_bytes > 92);

  // With a session there, preparing starts over at once.
  must(node.api().prepare({{{key, client.endpoint()}}}));
  REQUIRE(eventually([&] { return state_of(node, key).last_handshake_unix_ns != 0; }));
  CHECK(sent(180));
  CHECK(client.pings(SingleNode::kUpstream));

  must(node.api().give_up({{key}}));
  const PeerState given_up = state_of(node, key);
  CHECK_FALSE(given_up.endpoint.has_value());
  CHECK(given_up.tx_bytes == 0);
  CHECK(given_up.has_preshared_key);
}

/// Nothing out of the tunnel reaches the node or its links, and the node sends nothing back into
/// it.
void check_fences(SingleNode& node, LiveClient& client, const PublicKey& key) {
  must(node.api().prepare({{{key, client.endpoint()}}}));
  REQUIRE(eventually([&] { return client.pings(SingleNode::kUpstream); }));
  for (const char* fenced :
       {SingleNode::kNodeManagement, SingleNode::kNode4, "10.254.1.0", "10.254.0.0"}) {
    CAPTURE(fenced);
    CHECK_FALSE(client.pings(fenced));
  }
  const std::string connect = "timeout 2 bash -c 'exec 3<>/dev/tcp/10.254.1.1/4433'";
  CHECK(client.exec(connect).status != 0);
  // The API's address through the data link.
  CHECK(node.director().exec("ip route replace 10.254.1.1 via 10.254.0.1 dev weir-d1").status == 0);
  CHECK(node.director().exec(connect).status != 0);
  CHECK(node.director().exec("ip route del 10.254.1.1 via 10.254.0.1 dev weir-d1").status == 0);
  CHECK(node.director().exec(connect).status == 0);

  // Another client's inner address, which the director has: the answer proves that the packet went
  // there.
  PeerDiff other;
  other.put.push_back(synthetic_peer(1));
  other.put[0].endpoint = client.endpoint();
  must(node.api().apply(other));
  const std::string inner = other.put[0].allowed_ips[0].address.string();
  CHECK(node.director().exec("ip addr add " + inner + "/32 dev lo").status == 0);
  CHECK(client.pings(inner));
  CHECK(state_of(node, synthetic_key(1)).tx_bytes == 0);
  CHECK(node.director().exec("ip addr del " + inner + "/32 dev lo").status == 0);
}

void check_release(const std::string& name) {
  const BakedRelease baked = baked_release(name);
  SingleNode node(baked.image, {});
  const auto identity = must(node.api().identity());
  check_identity(identity, baked.release);

  const WgKeys gateway = make_wg_keys();
  CHECK(node.api().peers().error().code == Errc::busy);
  node.arm(secret_of(gateway.private_key));
  CHECK(must(node.api().identity()).wireguard_key == gateway.public_key);
  CHECK(node.api().set_clock(0ns).error().code == Errc::busy);
  const auto skew = must(node.api().clock_offset(5));
  MESSAGE("clock off by " << skew.count() << " us");
  CHECK(std::chrono::abs(skew) < 200ms);

  check_many_peers(node, identity.seal_key);

  const WgKeys keys = make_wg_keys();
  const std::string preshared_key = make_preshared_key();
  LiveClient client(
      node, keys,
      {.preshared_key = preshared_key, .gateway = gateway.public_key, .inner = kClientInner});
  PeerDiff diff;
  diff.put.push_back({keys.public_key,
                      {must(Prefix::parse(kClientInner))},
                      seal(preshared_key, identity.seal_key),
                      {}});
  must(node.api().apply(diff));
  check_moves(node, client, keys.public_key);
  check_fences(node, client, keys.public_key);
  check_dump_agrees_with_tool(node);
  check_logs(node, {gateway.private_key, preshared_key});

  must(node.api().drain());
  must(node.api().power_off());
  CHECK(eventually([&] { return node.state() == pool::MachineState::gone; }));
}

/// The image with another segment behind it: the real agent under another name, and one that dies
/// in its place.
pool::BootImage with_alarmed_agent(const pool::BootImage& image) {
  const std::string bin = test::build_folder() + "/bin/";
  const Output cpio = shell("set -e; d=$(mktemp -d); mkdir -p $d/usr/lib/weir; cp " + bin +
                            "weir-node $d/usr/lib/weir/weir-node.real; cp " + bin +
                            "vm_alarmed_agent $d/usr/lib/weir/weir-node; cd $d; find usr | cpio -o "
                            "-H newc --quiet >$d.cpio; "
                            "rm -r $d; echo $d.cpio");
  REQUIRE(cpio.status == 0);
  const std::string path = cpio.text.substr(0, cpio.text.find('\n'));
  const std::string segment = must(read_file(path, ByteCount{64U << 20}));
  shell("rm " + path);
  const std::string original = must(
      read_file("/proc/self/fd/" + std::to_string(image.initramfs.get()), ByteCount{512U << 20}));
  const std::string kernel =
      must(read_file("/proc/self/fd/" + std::to_string(image.kernel.get()), ByteCount{64U << 20}));
  return {must(pool::make_sealed_file("kernel", kernel)),
          must(pool::make_sealed_file("initramfs", original + segment)), image.command_line};
}

std::size_t deaths_in(const std::string& logs) {
  std::size_t out = 0;
  for (auto at = logs.find("was ended by signal 14"); at != std::string::npos;
       at = logs.find("was ended by signal 14", at + 1)) {
    ++out;
  }
  return out;
}

}  // namespace

TEST_CASE(
    "a 6.1 node is what its release says, holds its peers, moves clients and keeps its fences") {
  check_release(kBlueRelease);
}

TEST_CASE(
    "a 6.12 node is what its release says, holds its peers, moves clients and keeps its fences") {
  check_release(kGreenRelease);
}

TEST_CASE("an agent that dies comes back and goes on; a rehearsed clock is off once") {
  const BakedRelease baked = baked_release(kBlueRelease);
  SingleNode node(with_alarmed_agent(baked.image), {.clock_offset = -5s});
  // Calls fail while the agent is away; the kernel and this test do not mind.
  const auto persist = [](const auto& call) {
    auto result = call();
    eventually([&] { return result.has_value() || ((result = call()), result.has_value()); });
    return must(std::move(result));
  };
  const auto identity = persist([&] { return node.api().identity(); });
  const WgKeys gateway = make_wg_keys(), keys = make_wg_keys();
  const std::string preshared_key = make_preshared_key();
  node.arm(secret_of(gateway.private_key));
  LiveClient client(
      node, keys,
      {.preshared_key = preshared_key, .gateway = gateway.public_key, .inner = kClientInner});
  PeerDiff diff;
  diff.put.push_back({keys.public_key,
                      {must(Prefix::parse(kClientInner))},
                      seal(preshared_key, identity.seal_key),
                      client.endpoint()});
  must(eventually([&] { return node.api().apply(diff).has_value(); }) ? Status()
                                                                      : node.api().apply(diff));
  REQUIRE(eventually([&] { return client.pings(SingleNode::kUpstream); }));

  const auto count = [&] { return deaths_in(persist([&] { return node.api().logs(); })); };
  const std::size_t deaths = count();
  REQUIRE(eventually([&] { return count() > deaths; }));
  CHECK(client.pings(SingleNode::kUpstream));
  const auto after = persist([&] { return node.api().identity(); });
  CHECK(after.seal_key == identity.seal_key);
  CHECK(after.boot_id == identity.boot_id);
  CHECK(after.wireguard_key == gateway.public_key);
  const auto dump = persist([&] { return node.api().peers(); });
  REQUIRE(dump.peers.size() == 1);
  CHECK(dump.peers[0].last_handshake_unix_ns != 0);
  CHECK(dump.peers[0].has_preshared_key);
  // What was sealed before still opens.
  diff.put[0].allowed_ips.push_back(must(Prefix::parse("10.8.0.3/32")));
  persist([&]() -> Result<bool> { return node.api().apply(diff).map([] { return true; }); });
  const auto skew = persist([&] { return node.api().clock_offset(3); });
  CHECK(std::chrono::abs(skew + 5s) < 500ms);
}

}  // namespace weir::test
