#include "deployer/node/peer_plan.h"

#include <doctest/doctest.h>

#include "fake_world.h"
#include "tests/unit/deployer/wireguard/filled_keys.h"

namespace weir::node {
namespace {

using manifests::PeerDiff;
using manifests::PeerSpec;
using manifests::PrepareRequest;
using wireguard::key_of;
using wireguard::secret_of;
using wireguard::SecretKey;
using wireguard::WgPeer;

Endpoint endpoint(const char* text) {
  return Endpoint::parse(text).value();
}

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
  std::vector<Prefix> out;
  for (const char* text : texts) out.push_back(Prefix::parse(text).value());
  return out;
}

PeerSpec spec(std::uint8_t fill, std::vector<Prefix> allowed_ips) {
  return {key_of(fill), std::move(allowed_ips), {}, {}};
}

/// A node with three peers: 1 fresh, 2 with a live session, 3 kicked in vain.
wireguard::WgDevice device_of_three() {
  wireguard::WgDevice device = FakeWorld().device;
  device.public_key = key_of(0xee);
  for (std::uint8_t i = 1; i <= 3; ++i) {
    device.peers.push_back({.public_key = key_of(i),
                            .preshared_key = secret_of(static_cast<std::uint8_t>(0x80 + i)),
                            .endpoint = {},
                            .allowed_ips = {Prefix{IpAddress::v4({10, 8, 0, i}), 32}}});
  }
  WgPeer& live = device.peers[1];
  live.endpoint = endpoint("192.0.2.2:2");
  live.last_handshake_unix_ns = 5;
  live.rx_bytes = 1000;
  live.tx_bytes = 2000;
  live.keepalive_seconds = 25;
  WgPeer& failing = device.peers[2];
  failing.endpoint = endpoint("192.0.2.3:3");
  failing.tx_bytes = 148;
  return device;
}

}  // namespace

TEST_CASE("preparing sends to every client at once, whatever its history, and keeps what it was") {
  FakeWorld world(device_of_three());
  const PrepareRequest request{{{key_of(1), endpoint("198.51.100.1:1")},
                                {key_of(2), endpoint("[2001:db8::2]:22")},
                                {key_of(3), endpoint("192.0.2.3:3")}}};
  const auto change = plan_prepare(world.device, request);
  REQUIRE(change.has_value());
  REQUIRE(world.apply(*change).has_value());
  CHECK(world.sent == std::vector<PublicKey>{key_of(1), key_of(2), key_of(3)});
  for (std::uint8_t i = 1; i <= 3; ++i) {
    const WgPeer* peer = world.find(key_of(i));
    REQUIRE(peer != nullptr);
    CHECK(peer->keepalive_seconds == 0);
    CHECK(peer->endpoint == request.clients[i - 1U].endpoint);
    CHECK(peer->preshared_key == secret_of(static_cast<std::uint8_t>(0x80 + i)));
    CHECK(peer->allowed_ips == std::vector{Prefix{IpAddress::v4({10, 8, 0, i}), 32}});
    CHECK(peer->rx_bytes == 0);
    CHECK(peer->tx_bytes == 148);
    CHECK(peer->last_handshake_unix_ns == 0);
  }
}

TEST_CASE("a fresh peer is not removed to be prepared") {
  const FakeWorld world(device_of_three());
  const auto change = plan_prepare(world.device, {{{key_of(1), endpoint("192.0.2.1:1")}}});
  REQUIRE(change.has_value());
  REQUIRE(change->peers.size() == 2);
  for (const auto& step : change->peers) {
    CHECK(step.kind == wireguard::WgPeerChange::Kind::update);
    CHECK_FALSE(step.replace_allowed_ips);
  }
  CHECK(change->peers[0].keepalive_seconds == 1);
  CHECK(change->peers[1].keepalive_seconds == 0);
}

TEST_CASE("an unknown or repeated client spoils the whole request, before anyone is kicked") {
  const FakeWorld world(device_of_three());
  const auto at = endpoint("192.0.2.1:1");
  const auto unknown = plan_prepare(world.device, {{{key_of(1), at}, {key_of(9), at}}});
  CHECK(unknown.error().code == Errc::not_found);
  CHECK(unknown.error().message.find(key_of(9).string()) != std::string::npos);
  CHECK(plan_prepare(world.device, {{{key_of(1), at}, {key_of(1), at}}}).error().code ==
        Errc::invalid_input);
  CHECK(plan_commit(world.device, {{key_of(9)}}).error().code == Errc::not_found);
  CHECK(plan_commit(world.device, {{key_of(1), key_of(1)}}).error().code == Errc::invalid_input);
  CHECK(plan_give_up(world.device, {{key_of(1), key_of(1)}}).error().code == Errc::invalid_input);
}

TEST_CASE("committing sends one packet in the present session, with keepalive off afterwards") {
  FakeWorld world(device_of_three());
  const auto change = plan_commit(world.device, {{key_of(2)}});
  REQUIRE(world.apply(change.value()).has_value());
  CHECK(world.sent == std::vector<PublicKey>{key_of(2)});
  const WgPeer* peer = world.find(key_of(2));
  CHECK(peer->tx_bytes == 2032);
  CHECK(peer->rx_bytes == 1000);
  CHECK(peer->last_handshake_unix_ns == 5);
  CHECK(peer->keepalive_seconds == 0);
  CHECK(peer->endpoint == endpoint("192.0.2.2:2"));
}

TEST_CASE("giving up leaves a peer that can be reached but reaches for nobody") {
  FakeWorld world(device_of_three());
  const auto change = plan_give_up(world.device, {{key_of(3), key_of(9), key_of(2)}});
  REQUIRE(world.apply(change.value()).has_value());
  CHECK(world.sent.empty());
  CHECK(world.device.peers.size() == 3);
  for (const std::uint8_t i : {2, 3}) {
    const WgPeer* peer = world.find(key_of(i));
    CHECK_FALSE(peer->endpoint.has_value());
    CHECK(peer->tx_bytes == 0);
    CHECK(peer->keepalive_seconds == 0);
    CHECK(peer->preshared_key == secret_of(static_cast<std::uint8_t>(0x80 + i)));
    CHECK(peer->allowed_ips.size() == 1);
  }
}

TEST_CASE("a diff adds, changes and removes, and sent again changes nothing") {
  FakeWorld world(device_of_three());
  PeerDiff diff;
  diff.remove = {key_of(3), key_of(7)};
  diff.put = {spec(2, prefixes({"10.8.0.2/32", "fd00:8::2/128"})),
              spec(4, prefixes({"10.8.0.4/32"}))};
  diff.put[1].sealed_preshared_key = "sealed";
  diff.put[1].endpoint = endpoint("192.0.2.4:4");
  const PresharedKeys keys{{key_of(4), secret_of(0x84)}};
  REQUIRE(world.apply(plan_diff(world.device, diff, keys).value()).has_value());
  CHECK(world.find(key_of(3)) == nullptr);
  const WgPeer* live = world.find(key_of(2));
  CHECK_FALSE(live->preshared_key.has_value());
  CHECK(live->allowed_ips == prefixes({"10.8.0.2/32", "fd00:8::2/128"}));
  CHECK(live->endpoint == endpoint("192.0.2.2:2"));
  CHECK(live->last_handshake_unix_ns == 5);
  CHECK(world.find(key_of(4))->preshared_key == secret_of(0x84));
  CHECK(world.find(key_of(4))->endpoint == endpoint("192.0.2.4:4"));
  CHECK(world.sent.empty());
  CHECK(plan_diff(world.device, diff, keys)->peers.empty());
}

TEST_CASE(
    "a diff touches of a live peer only what differs, and replaces allowed IPs only to take some") {
  const FakeWorld world(device_of_three());
  PeerDiff diff;
  diff.put = {spec(2, prefixes({"10.8.0.2/32"}))};
  diff.put[0].sealed_preshared_key = "sealed";
  const PresharedKeys keys{{key_of(2), secret_of(0x82)}};
  CHECK(plan_diff(world.device, diff, keys)->peers.empty());

  diff.put[0].endpoint = endpoint("192.0.2.22:22");
  auto change = plan_diff(world.device, diff, keys);
  REQUIRE(change->peers.size() == 1);
  CHECK(change->peers[0].kind == wireguard::WgPeerChange::Kind::update);
  CHECK(change->peers[0].endpoint == diff.put[0].endpoint);
  CHECK_FALSE(change->peers[0].preshared_key.has_value());
  CHECK_FALSE(change->peers[0].replace_allowed_ips);
  CHECK(change->peers[0].allowed_ips.empty());

  diff.put[0].endpoint.reset();
  diff.put[0].allowed_ips = prefixes({"10.8.0.2/32", "fd00:8::2/128"});
  change = plan_diff(world.device, diff, keys);
  REQUIRE(change->peers.size() == 1);
  CHECK_FALSE(change->peers[0].replace_allowed_ips);
  CHECK(change->peers[0].allowed_ips == prefixes({"fd00:8::2/128"}));

  diff.put[0].allowed_ips = prefixes({"fd00:8::2/128"});
  change = plan_diff(world.device, diff, keys);
  REQUIRE(change->peers.size() == 1);
  CHECK(change->peers[0].replace_allowed_ips);
  CHECK(change->peers[0].allowed_ips == prefixes({"fd00:8::2/128"}));
}

TEST_CASE("a diff that names a peer twice, or a preshared key nobody opened, is refused") {
  const FakeWorld world(device_of_three());
  PeerDiff diff;
  diff.remove = {key_of(1)};
  diff.put = {spec(1, {})};
  CHECK(plan_diff(world.device, diff, {}).error().code == Errc::invalid_input);
  diff.remove.clear();
  diff.put[0].sealed_preshared_key = "sealed";
  CHECK(plan_diff(world.device, diff, {}).error().code == Errc::invalid_input);
}

TEST_CASE("draining turns off the keepalives that are on and touches nobody else") {
  FakeWorld world(device_of_three());
  const auto change = plan_drain(world.device);
  REQUIRE(change.peers.size() == 1);
  CHECK(change.peers[0].public_key == key_of(2));
  REQUIRE(world.apply(change).has_value());
  CHECK(world.find(key_of(2))->keepalive_seconds == 0);
  CHECK(world.sent.empty());
}

TEST_CASE("a description is sorted and needs the private key first") {
  FakeWorld world(device_of_three());
  std::reverse(world.device.peers.begin(), world.device.peers.end());
  world.device.peers[0].allowed_ips = prefixes({"10.8.0.9/32", "10.8.0.3/32"});
  const auto dump = describe(world.device, 77);
  REQUIRE(dump.has_value());
  CHECK(dump->clock_unix_ns == 77);
  CHECK(dump->peers[0].public_key == key_of(1));
  CHECK(dump->peers[2].allowed_ips == prefixes({"10.8.0.3/32", "10.8.0.9/32"}));
  CHECK(dump->peers[1].has_preshared_key);
  world.device.public_key.reset();
  CHECK(describe(world.device, 77).error().code == Errc::busy);
}

}  // namespace weir::node
