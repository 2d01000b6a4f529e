#include "deployer/rollout/nodelife/nodelife.h"

#include <doctest/doctest.h>

#include "tests/unit/deployer/rollout/fake_world.h"

namespace weir::deployer {
namespace {

using nodelife::Life;
using nodelife::Wanted;

/// Takes commands as they come; a test answers them one by one.
struct Orders {
  std::vector<Ordered> given;
  nodelife::Sink sink{[this](Command command) {
                        given.push_back({given.size() + 1, std::move(command)});
                        return given.back().id;
                      },
                      [](const std::string&) {}};
  template <class T>
  [[nodiscard]] bool last() const {
    return std::holds_alternative<T>(given.back().command);
  }
};

manifests::NodeIdentity identity_of(const NodeId& node) {
  return {.node = node,
          .boot_id = "boot",
          .lock_digest = Digest::of(as_bytes("lock")),
          .kernel_release = "6.12",
          .kernel_build_id = {},
          .modules = {},
          .tools = {},
          .clock_unix_ns = 0,
          .seal_key = FakeWorld::key(9),
          .wireguard_key = {},
          .agent_version = "1"};
}

}  // namespace

TEST_CASE("a node that was booted again gets its time, key and peers, and is forgotten as it was") {
  const NodeId node = FakeWorld::node("blue-1");
  Wanted wanted;
  wanted.nodes = wanted.in_time = {node};
  wanted.booting = nodelife::Booting::done;
  Orders orders;
  Life life = nodelife::begin(wanted, orders.sink);
  REQUIRE(orders.last<ReadIdentities>());
  nodelife::step(wanted, life, {1, IdentitiesRead{{identity_of(node)}}}, orders.sink);
  REQUIRE(orders.last<ReadClocks>());
  // It has no handshakes yet: its clock may go back.
  nodelife::step(wanted, life, {2, ClocksRead{{{node, std::chrono::hours(3)}}}}, orders.sink);
  REQUIRE(orders.last<SetClocks>());
  CHECK(std::get<SetClocks>(orders.given.back().command).ahead.at(node).count() == 0);
  nodelife::step(wanted, life, {3, Done{}}, orders.sink);
  REQUIRE(orders.last<ReadClocks>());
  nodelife::step(wanted, life, {4, ClocksRead{{{node, {}}}}}, orders.sink);
  REQUIRE(orders.last<FeedNodes>());
  nodelife::step(wanted, life, {5, NodesFed{{{node, Fed{}}}}}, orders.sink);
  REQUIRE(orders.last<ForgetNode>());
  nodelife::step(wanted, life, {99, Done{}}, orders.sink);  // nobody's answer
  CHECK(std::holds_alternative<nodelife::at::Forget>(life.now));
  nodelife::step(wanted, life, {6, Done{}}, orders.sink);
  CHECK(std::holds_alternative<nodelife::at::Up>(life.now));
  CHECK(orders.given.size() == 6);
}

TEST_CASE("whatever fails on the way ends it, with a reason of its own") {
  const NodeId node = FakeWorld::node("green-1");
  const manifests::Release release = FakeWorld::release();
  Wanted wanted;
  wanted.nodes = wanted.in_time = {node};
  wanted.release = &release;
  Orders orders;
  Life life = nodelife::begin(wanted, orders.sink);
  REQUIRE(orders.last<BootPool>());
  const auto failed_for = [&](Code code) {
    const auto* failed = std::get_if<nodelife::at::Failed>(&life.now);
    return failed != nullptr && failed->why.code == code;
  };
  SUBCASE("it does not boot") {
    nodelife::step(wanted, life, {1, Failed{Error{Errc::timeout, 0, "no"}}}, orders.sink);
    CHECK(failed_for(Code::not_booted));
  }
  SUBCASE("it is something else than the release") {
    nodelife::step(wanted, life, {1, Booted{{node}}}, orders.sink);
    nodelife::step(wanted, life, {2, IdentitiesRead{{identity_of(node)}}}, orders.sink);
    CHECK(failed_for(Code::identity_differs));
  }
}

TEST_CASE("a node that was booted again calls the clients whose home it is, and no revoked one") {
  const NodeId node = FakeWorld::node("blue-1");
  FakeWorld world(2, 4);
  std::map<PublicKey, Known> known;
  for (unsigned n = 1; n <= 4; ++n) {
    known.insert_or_assign(FakeWorld::key(n), Known{FakeWorld::endpoint(n), node});
  }
  director::Observed observed;
  observed.learned.homes = {{FakeWorld::endpoint(1), node},
                            {FakeWorld::endpoint(2), FakeWorld::node("blue-2")},
                            {FakeWorld::endpoint(3), node}};
  world.registry.erase(FakeWorld::key(3));
  const auto calls = nodelife::to_call(node, known, observed, world.registry);
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].public_key == FakeWorld::key(1));
}

}  // namespace weir::deployer
