#include "deployer/steering/steering.h"

#include <doctest/doctest.h>

#include <random>

#include "deployer/director/nft/declarations.h"
#include "deployer/steering/applied.h"
#include "deployer/steering/edit.h"
#include "tests/unit/deployer/director/fixture.h"

using namespace weir::director;
using namespace weir::director::test;
using weir::DirectorId;
using weir::Errc;
using weir::NodeId;

namespace {

/// A steering drawn from few values, so that two of them share keys with equal and with other
/// values.
Intent any_steering(std::mt19937& random, std::uint64_t version) {
  const std::vector<NodeId> nodes = {node("blue-1"), node("blue-2"), node("green-1")};
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  const auto some_node = [&] { return nodes[below(3)]; };
  const auto some_client = [&] {
    const auto host = address(below(2) == 0 ? "198.51.100.0" : "2001:db8:1::").plus(below(4));
    return weir::Endpoint{host, static_cast<std::uint16_t>(4000 + below(2))};
  };
  Intent out;
  out.revision = version;
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

TEST_CASE("applying to an intent the difference to another makes the other") {
  constexpr unsigned kSeed = 20240611;
  MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  for (int i = 0; i < 2000; ++i) {
    const Intent from = any_steering(random, 3);
    const Intent to = any_steering(random, 4);
    Intent changed = from;
    REQUIRE(apply(changed, diff(from, to)));
    REQUIRE(changed == to);
  }
}

TEST_CASE("a difference names only what differs") {
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    const Intent same = any_steering(random, 3);
    Delta nothing;
    nothing.from = nothing.to = 3;
    CHECK(diff(same, same) == nothing);
  }
  Intent from = steering();
  Intent to = from;
  to.revision = 8;
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
  Intent unchanged = steering();
  const auto refused = apply(unchanged, delta);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::invalid_input);
  CHECK(refused.error().message.find("revision 7") != std::string::npos);
}

TEST_CASE("forgetting what is not there and revoking what was not granted changes nothing") {
  Delta delta;
  delta.from = 7;
  delta.to = 8;
  delta.homes.emplace(endpoint("203.0.113.9:1"), std::nullopt);
  delta.holds.emplace(Grant{node("blue-1"), endpoint("203.0.113.9:1")}, false);
  auto want = steering();
  want.revision = 8;
  Intent changed = steering();
  REQUIRE(apply(changed, delta));
  CHECK(changed == want);
}

TEST_CASE("an edit that changes nothing, or takes another back, leaves nothing in the delta") {
  const Intent base = steering();
  const auto client = endpoint("203.0.113.9:1");
  Edit edit(base);
  edit.set_active(base.active);
  edit.set_home(client, node("green-1"));
  edit.set_kick({node("green-1"), client}, true);
  edit.set_hold({node("green-1"), client}, false);
  edit.assign({address("10.9.0.77"), 32}, std::nullopt);
  CHECK_FALSE(edit.empty());
  edit.set_home(client, std::nullopt);
  edit.set_kick({node("green-1"), client}, false);
  CHECK(edit.empty());
  edit.set_home(client, node("blue-1"));
  const Delta delta = std::move(edit).delta();
  CHECK(delta.from == 7);
  CHECK(delta.to == 8);
  CHECK(delta.homes.size() == 1);
}

TEST_CASE("weights become slots, and slots weights") {
  const std::vector<NodeId> slots = {node("a"), node("a"), node("a"), node("b"), node("a")};
  const std::vector<Bucket> active = {{node("a"), 3}, {node("b")}, {node("a")}};
  CHECK(slots_of(active) == slots);
  CHECK(buckets_of(slots) == active);
  CHECK(serves(active, node("b")));
  CHECK_FALSE(serves(active, node("c")));
  CHECK(slots_of(equal_weights({node("a"), node("b")})) ==
        std::vector<NodeId>{node("a"), node("b")});
}

TEST_CASE("a grant stands once every director has applied it") {
  const auto one = *DirectorId::parse("one");
  const auto two = *DirectorId::parse("two");
  CHECK_FALSE(stands({}, 0));
  CHECK(stands({{one, {4}}}, 4));
  CHECK_FALSE(stands({{one, {4}}}, 5));
  CHECK_FALSE(stands({{one, {5}}, {two, {4}}}, 5));
  CHECK(stands({{one, {5}}, {two, {6}}}, 5));
}

TEST_CASE("learning maps hold four times the peers, and never fewer than a thousand") {
  Topology some = topology();
  CHECK(learning_capacity(some) == 4000);
  some.expected_peers = 3;
  CHECK(learning_capacity(some) == 1024);
  some.expected_peers = 0xffffffff;
  CHECK(learning_capacity(some) == 1U << 30);
}
