// Registry, revocation, clocks and proof: what a rollout owes those who are not simply moved.
#include <doctest/doctest.h>

#include "deployer/rollout/report.h"
#include "tests/text.h"
#include "tests/unit/deployer/rollout/fake_world.h"

namespace weir::deployer {
namespace {

using test::joined;

bool warns(const State& state, Code code, const std::string& of) {
  return std::any_of(
      state.rollout.warnings.begin(), state.rollout.warnings.end(),
      [&](const Reason& it) { return it.code == code && it.text.find(of) != std::string::npos; });
}

/// Everybody to green, then `n` registers and connects to green only.
manifests::Peer deployed_with_newcomer(FakeWorld& world, unsigned n) {
  const Plan there = world.deploy_plan();
  REQUIRE(world.run(there, start(there)).rollout.outcome == Outcome::done);
  manifests::Peer peer = world.add_to_registry(n);
  FeedNodes feed{world.green};
  world.feed(feed);
  world.connect(peer, n, world.green[0]);
  return peer;
}

}  // namespace

TEST_CASE("a peer registered after the deploy is moved back with everybody else") {
  FakeWorld world(2, 10);
  const auto peer = deployed_with_newcomer(world, 99);
  const Plan back = world.plan(Kind::rollback, false);
  SUBCASE("green answers") {}
  SUBCASE("green is frozen") {
    for (const NodeId& node : world.green) world.frozen.insert(node);
  }
  const State state = world.run(back, start(back));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on(world.blue) == 11);
  for (const NodeId& node : world.blue) CHECK(world.peers[node].contains(peer.public_key));
}

TEST_CASE("a newcomer of a frozen pool whose address nobody knows is named") {
  FakeWorld world(1, 4);
  const auto peer = deployed_with_newcomer(world, 99);
  world.frozen.insert(world.green[0]);
  Plan back = world.plan(Kind::rollback, false);
  back.known.erase(peer.public_key);
  const State state = world.run(back, start(back));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(warns(state, Code::no_address, "client-99"));
  CHECK(world.peers[world.blue[0]].contains(peer.public_key));
}

TEST_CASE("a rollback to a pool of which one node is gone names it and goes on with the others") {
  FakeWorld world(2, 10);
  const Plan there = world.deploy_plan();
  REQUIRE(world.run(there, start(there)).rollout.outcome == Outcome::done);
  world.frozen.insert(world.blue[1]);
  const Plan back = world.plan(Kind::rollback, false);
  const Instant ordered = world.now;
  const State state = world.run(back, start(back));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on({world.blue[0]}) == 10);
  CHECK(warns(state, Code::node_silent, "blue-2"));
  CHECK(world.now - ordered < std::chrono::seconds(1));
}

TEST_CASE(
    "a node that cannot be brought to the registry takes clients with what it has, and says so") {
  FakeWorld world(1, 6);
  const Plan there = world.deploy_plan();
  REQUIRE(world.run(there, start(there)).rollout.outcome == Outcome::done);
  world.refuses_feed.insert(world.blue[0]);
  const Plan back = world.plan(Kind::rollback, false);
  const State state = world.run(back, start(back));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on(world.blue) == 6);
  CHECK(warns(state, Code::unfed, "blue-1"));
}

TEST_CASE("a node that is still being fed is not silent: a rollback moves clients to it") {
  FakeWorld world(2, 10);
  const Plan there = world.deploy_plan();
  REQUIRE(world.run(there, start(there)).rollout.outcome == Outcome::done);
  world.slow_feeds = {{world.blue[1], std::chrono::seconds(6)}};
  const Plan back = world.plan(Kind::rollback, false);
  const State state = world.run(back, start(back));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(state.rollout.targets == world.blue);
  CHECK_FALSE(warns(state, Code::node_silent, "blue-2"));
  CHECK(world.on({world.blue[1]}) == 5);
}

TEST_CASE("a node that hangs although its machine runs holds a rollback up for two seconds") {
  FakeWorld world(2, 10);
  const Plan there = world.deploy_plan();
  REQUIRE(world.run(there, start(there)).rollout.outcome == Outcome::done);
  world.hung.insert(world.blue[1]);
  const Plan back = world.plan(Kind::rollback, false);
  const Instant ordered = world.now;
  const State state = world.run(back, start(back));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on({world.blue[0]}) == 10);
  CHECK(warns(state, Code::node_silent, "blue-2"));
  CHECK(world.now - ordered < std::chrono::milliseconds(3500));
}

TEST_CASE(
    "a rollback gives preshared keys again once clients are called, and only where there are") {
  FakeWorld world(1, 6);
  const Plan there = world.deploy_plan();
  REQUIRE(world.run(there, start(there)).rollout.outcome == Outcome::done);
  std::vector<JournalRecord> journal;
  world.journal = &journal;
  const auto orders_of = [&](auto wanted) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < journal.size(); ++i) {
      for (const Ordered& ordered : journal[i].commands) {
        if (wanted(ordered.command)) out.push_back(i);
      }
    }
    return out;
  };
  const auto confirms = [](const Command& it) { return std::holds_alternative<FeedNodes>(it); };
  const auto calls = [](const Command& it) { return std::holds_alternative<Kick>(it); };
  SUBCASE("nobody has one") {
    const Plan back = world.plan(Kind::rollback, false);
    CHECK(world.run(back, start(back)).rollout.outcome == Outcome::done);
    CHECK(orders_of(confirms).empty());
  }
  SUBCASE("the nodes have them already") {
    for (auto& [key, peer] : world.registry) peer.preshared_key_file = "psk";
    const Plan back = world.plan(Kind::rollback, false);
    CHECK(world.run(back, start(back)).rollout.outcome == Outcome::done);
    REQUIRE(orders_of(confirms).size() == 1);
    REQUIRE_FALSE(orders_of(calls).empty());
    CHECK(orders_of(confirms).front() > orders_of(calls).front());
  }
  SUBCASE("a client got another one since: it is moved all the same") {
    for (auto& [key, peer] : world.registry) peer.preshared_key_file = "psk";
    world.rotated.insert(FakeWorld::key(3));
    world.stale.insert(world.blue[0]);
    const Plan back = world.plan(Kind::rollback, false);
    const State state = world.run(back, start(back));
    CAPTURE(joined(world.log));
    CHECK(state.rollout.outcome == Outcome::done);
    CHECK(world.on(world.blue) == 6);
    CHECK(orders_of(confirms).size() == 1);
  }
  CHECK(world.problems.empty());
}

TEST_CASE("a rollback brings back neither revoked keys nor old addresses") {
  FakeWorld world(2, 8);
  const Plan there = world.deploy_plan();
  REQUIRE(world.run(there, start(there)).rollout.outcome == Outcome::done);
  const PublicKey revoked = FakeWorld::key(3);
  world.registry.erase(revoked);
  auto& moved_house = world.registry.at(FakeWorld::key(4));
  moved_house.allowed_ips = {*Prefix::parse("10.0.77.4/32")};
  const Plan back = world.plan(Kind::rollback, false);
  const State state = world.run(back, start(back));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  for (const auto* pool : {&world.blue, &world.green}) {
    for (const NodeId& node : *pool) CHECK_FALSE(world.peers[node].contains(revoked));
  }
  for (const NodeId& node : world.blue) {
    CHECK(world.peers[node].at(FakeWorld::key(4)).allowed_ips == moved_house.allowed_ips);
  }
  CHECK(world.on(world.blue) >= 7);
  CHECK(world.problems.empty());
}

TEST_CASE(
    "a revoked client that is active neither stops a deploy nor counts, and loses its sessions") {
  FakeWorld world(2, 8);
  const PublicKey revoked = FakeWorld::key(3);
  world.registry.erase(revoked);
  const Plan plan = world.deploy_plan();
  const State state = world.run(plan, start(plan));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on(world.green) == 7);
  for (const auto* pool : {&world.blue, &world.green}) {
    for (const NodeId& node : *pool) CHECK_FALSE(world.peers[node].contains(revoked));
  }
  CHECK_FALSE(world.steering.homes.contains(world.clients.at(revoked).endpoint));
  const Report report = report_of(plan, state, world.now);
  CHECK(exit_code(report.outcome) == 0);
  const std::string json = print_json(report);
  CHECK(json.find("\"revoked\":[{\"name\":\"" + revoked.string()) != std::string::npos);
  CHECK(json.find("\"stayed\":[]") != std::string::npos);
  const std::string text = print_text(report);
  CHECK(text.find("revoked") != std::string::npos);
  CHECK(text.find("7 of 7 active clients") != std::string::npos);
}

TEST_CASE("a revoked client does not make room for one that fails") {
  FakeWorld world(1, 10);
  world.registry.erase(FakeWorld::key(3));
  world.clients.at(FakeWorld::key(4)).refuses.insert(world.green[0]);
  // 100 per mille of nine clients is none.
  const Plan plan = world.deploy_plan(Permille{100});
  const State state = world.run(plan, start(plan));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::failed);
  REQUIRE(state.rollout.refusal);
  CHECK(state.rollout.refusal->code == Code::too_many_failed);
}

TEST_CASE("without an active client and without a probe the outcome says that nothing was proved") {
  FakeWorld world(1, 0);
  Plan plan = world.deploy_plan();
  SUBCASE("neither") {
    const State state = world.run(plan, start(plan));
    CHECK(state.rollout.proof == Proof::nothing);
    const Report report = report_of(plan, state, world.now);
    CHECK(exit_code(report.outcome) == 0);
    CHECK(print_text(report).find("nothing was proved") != std::string::npos);
    CHECK(print_json(report).find("\"proved\":\"nothing\"") != std::string::npos);
  }
  SUBCASE("a probe") {
    plan.probe_source = IpAddress::v4({10, 0, 0, 250});
    const State state = world.run(plan, start(plan));
    CHECK(state.rollout.proof == Proof::probe);
    CHECK(print_text(report_of(plan, state, world.now)).find("nothing was proved") ==
          std::string::npos);
  }
}

TEST_CASE("a moved client is proof") {
  FakeWorld world(1, 1);
  const Plan plan = world.deploy_plan();
  const State state = world.run(plan, start(plan));
  CHECK(state.rollout.proof == Proof::clients);
}

TEST_CASE("clocks that fell behind are set forward before they reach the gate, at every rollout") {
  using std::chrono::milliseconds;
  FakeWorld world(2, 4);
  world.clocks = {{world.blue[0], milliseconds(260)}, {world.green[1], milliseconds(-180)}};
  const Plan there = world.deploy_plan();
  const State state = world.run(there, start(there));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  for (const auto& [node, ahead] : world.clocks) CHECK(ahead == milliseconds(260));
  world.clocks[world.blue[1]] = milliseconds(-500);
  const Plan back = world.plan(Kind::rollback, false);
  CHECK(world.run(back, start(back)).rollout.outcome == Outcome::done);
  CHECK(world.clocks[world.blue[1]] >= milliseconds(0));
  CHECK(world.problems.empty());
}

TEST_CASE(
    "a clock that cannot be set, or is far ahead, or is wrong on purpose is left to the gate") {
  using std::chrono::milliseconds;
  FakeWorld world(1, 4);
  Plan plan = world.deploy_plan();
  world.clocks = {{world.blue[0], milliseconds(-260)}};
  SUBCASE("an agent that refuses") {
    world.old_agents.insert(world.blue[0]);
  }
  SUBCASE("an hour") {
    world.clocks = {{world.blue[0], std::chrono::hours(1)}};
  }
  SUBCASE("a rehearsal") {
    plan.wrong_clocks = {world.blue[0]};
  }
  const auto before = world.clocks;
  const State state = world.run(plan, start(plan));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::failed);
  REQUIRE(state.rollout.refusal);
  CHECK(state.rollout.refusal->code == Code::clocks_apart);
  CHECK(world.clocks[world.blue[0]] == before.at(world.blue[0]));
}

TEST_CASE("up makes a pool serve, and takes back what it made when it fails") {
  FakeWorld world(2, 0);
  world.steers = false;
  world.steering = {};
  world.boots = world.blue;
  world.add_to_registry(5);
  Plan plan = world.up_plan({.steers = false, .settled = false});
  plan.probe_source = IpAddress::v4({10, 0, 0, 250});
  SUBCASE("it serves") {
    const State state = world.run(plan, start(plan));
    CAPTURE(joined(world.log));
    CHECK(state.rollout.outcome == Outcome::done);
    CHECK(state.rollout.phase == Phase::committed);
    CHECK(activated(state));
    CHECK(world.steers);
    CHECK(world.steering.active == director::equal_weights(world.blue));
    CHECK(world.steering.assigned.size() == 1);
    CHECK(world.probed == world.blue);
    for (const NodeId& node : world.blue) CHECK(world.peers[node].size() == 1);
  }
  SUBCASE("the probe fails") {
    world.probe_fails = true;
    const State state = world.run(plan, start(plan));
    CHECK(state.rollout.outcome == Outcome::failed);
    CHECK_FALSE(activated(state));
    CHECK_FALSE(world.steers);
    CHECK_FALSE(world.green_runs);
  }
  SUBCASE("a person stops it") {
    State state = world.run(plan, start(plan), [](const State& it) {
      return std::holds_alternative<task::BringUp>(it.rollout.task);
    });
    state =
        world.run(plan, std::move(state), [](const State&) { return false; }, {0, Interrupted{}});
    CHECK(state.rollout.outcome == Outcome::failed);
    CHECK_FALSE(world.steers);
  }
}

TEST_CASE(
    "up again gives new peers an address and takes revoked ones away; what runs is not undone") {
  FakeWorld world(2, 6);
  const auto newcomer = world.add_to_registry(50);
  world.registry.erase(FakeWorld::key(2));
  const Plan plan = world.up_plan({.steers = true, .settled = true});
  SUBCASE("it is done") {
    const State state = world.run(plan, start(plan));
    CAPTURE(joined(world.log));
    CHECK(state.rollout.outcome == Outcome::done);
    CHECK(state.rollout.proof == Proof::unneeded);
    for (const NodeId& node : world.blue) {
      CHECK(world.peers[node].contains(newcomer.public_key));
      CHECK_FALSE(world.peers[node].contains(FakeWorld::key(2)));
    }
    CHECK(world.steering.assigned.contains(newcomer.allowed_ips.front()));
    CHECK(world.problems.empty());
  }
  SUBCASE("it fails") {
    world.green_runs = true;
    world.refuses_feed.insert(world.blue[1]);
    const State state = world.run(plan, start(plan));
    CHECK(state.rollout.outcome == Outcome::failed);
    CHECK(world.steers);
    CHECK(world.green_runs);
  }
}

}  // namespace weir::deployer
