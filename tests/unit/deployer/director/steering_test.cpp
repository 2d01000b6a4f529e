#include "deployer/steering/steering.h"

#include <doctest/doctest.h>

#include <random>

#include "tests/unit/deployer/director/fixture.h"

using namespace weir::director;
using namespace weir::director::test;
using weir::Errc;
using weir::NodeId;

namespace {

/// A steering drawn from few values, so that two of them share keys with equal and with other
/// values.
Steering any_steering(std::mt19937& random, std::uint64_t version) {
  const std::vector<NodeId> nodes = {node("blue-1"), node("blue-2"), node("green-1")};
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  const auto some_node = [&] { return nodes[below(3)]; };
  const auto some_client = [&] {
    const auto host = address(below(2) == 0 ? "198.51.100.0" : "2001:db8:1::").plus(below(4));
    return weir::Endpoint{host, static_cast<std::uint16_t>(4000 + below(2))};
  };
  Steering out;
  out.version = version;
  for (std::uint32_t i = below(4); i > 0; --i) out.active.push_back(some_node());
  for (std::uint32_t i = below(8); i > 0; --i)
    out.homes.insert_or_assign(some_client(), some_node());
  for (std::uint32_t i = below(8); i > 0; --i) out.kicks.insert({some_node(), some_client()});
  for (std::uint32_t i = below(8); i > 0; --i) out.holds.insert({some_node(), some_client()});
  for (std::uint32_t i = below(8); i > 0; --i) {
    out.assigned.insert_or_assign({address("10.9.0.0").plus(below(6)), 32}, some_node());
  }
  return out;
}

}  // namespace

TEST_CASE("patching a steering with the difference to another makes the other") {
  constexpr unsigned kSeed = 20240611;
  MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  for (int i = 0; i < 2000; ++i) {
    const Steering from = any_steering(random, 3);
    const Steering to = any_steering(random, 4);
    const auto patched = patch(from, diff(from, to));
    REQUIRE(patched);
    REQUIRE(*patched == to);
  }
}

TEST_CASE("a difference names only what differs") {
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    const Steering same = any_steering(random, 3);
    Delta nothing;
    nothing.from = nothing.to = 3;
    CHECK(diff(same, same) == nothing);
  }
  Steering from = steering();
  Steering to = from;
  to.version = 8;
  to.homes.insert_or_assign(endpoint("198.51.100.1:4000"), node("green-1"));
  const Delta delta = diff(from, to);
  CHECK(delta.homes.size() == 1);
  CHECK_FALSE(delta.active);
  CHECK(delta.kicks.empty());
  CHECK(delta.holds.empty());
  CHECK(delta.assigned.empty());
}

TEST_CASE("a delta applies to the version it was made from and to no other") {
  Delta delta;
  delta.from = 6;
  delta.to = 7;
  const auto refused = patch(steering(), delta);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::invalid_input);
  CHECK(refused.error().message.find("version 7") != std::string::npos);
}

TEST_CASE("forgetting what is not there and revoking what was not granted changes nothing") {
  Delta delta;
  delta.from = 7;
  delta.to = 8;
  delta.homes.emplace(endpoint("203.0.113.9:1"), std::nullopt);
  delta.holds.emplace(Grant{node("blue-1"), endpoint("203.0.113.9:1")}, false);
  auto want = steering();
  want.version = 8;
  CHECK(*patch(steering(), delta) == want);
}

TEST_CASE("learning maps hold four times the peers, and never fewer than a thousand") {
  Topology some = topology();
  CHECK(learning_capacity(some) == 4000);
  some.expected_peers = 3;
  CHECK(learning_capacity(some) == 1024);
  some.expected_peers = 0xffffffff;
  CHECK(learning_capacity(some) == 1U << 30);
}
