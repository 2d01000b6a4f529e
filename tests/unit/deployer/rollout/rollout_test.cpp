#include "deployer/rollout/rollout.h"

#include <doctest/doctest.h>

#include "deployer/rollout/report.h"
#include "tests/text.h"
#include "tests/unit/deployer/rollout/fake_world.h"

namespace weir::deployer {
namespace {

using test::joined;

director::Intent without_version(director::Intent steering) {
  steering.revision = 0;
  return steering;
}

}  // namespace

TEST_CASE("a deploy moves every client and none loses its session") {
  for (const unsigned nodes : {1U, 2U, 3U}) {
    FakeWorld world(nodes, 40);
    const Plan plan = world.deploy_plan();
    const State state = world.run(plan, start(plan));
    CAPTURE(joined(world.log));
    CHECK(state.rollout.outcome == Outcome::done);
    CHECK(state.rollout.phase == Phase::committed);
    CHECK(world.on(world.green) == 40);
    CHECK(world.problems.empty());
    CHECK(world.steering.active == director::equal_weights(world.green));
    CHECK(world.steering.kicks.empty());
    CHECK(world.steering.holds.empty());
    for (const auto& [key, client] : world.clients) {
      CHECK(world.steering.homes.at(client.endpoint) == client.session);
    }
  }
}

TEST_CASE("there and back, again and again") {
  FakeWorld world(2, 20);
  for (int round = 0; round < 5; ++round) {
    const Plan there = world.deploy_plan();
    REQUIRE(world.run(there, start(there)).rollout.outcome == Outcome::done);
    CHECK(world.on(world.green) == 20);
    const Plan back = world.plan(Kind::rollback, false);
    const State state = world.run(back, start(back));
    CAPTURE(joined(world.log));
    REQUIRE(state.rollout.outcome == Outcome::done);
    CHECK(state.rollout.phase == Phase::rolled_back);
    CHECK(world.on(world.blue) == 20);
    CHECK(world.steering.active == director::equal_weights(world.blue));
  }
  CHECK(world.problems.empty());
}

TEST_CASE(
    "one client that cannot be prepared is too many by default: nobody moves, all is as before") {
  FakeWorld world(2, 10);
  for (const NodeId& node : world.green) world.clients.at(FakeWorld::key(3)).refuses.insert(node);
  const director::Intent before = world.steering;
  const Plan plan = world.deploy_plan();
  const State state = world.run(plan, start(plan));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::failed);
  REQUIRE(state.rollout.refusal);
  CHECK(state.rollout.refusal->text.find("client-3") != std::string::npos);
  CHECK(world.on(world.blue) == 10);
  CHECK(without_version(world.steering) == without_version(before));
  CHECK_FALSE(world.green_runs);
  CHECK(world.problems.empty());
}

TEST_CASE(
    "a client that cannot be prepared stays, is named, and keeps its home when policy allows it") {
  FakeWorld world(2, 10);
  for (const NodeId& node : world.green) world.clients.at(FakeWorld::key(3)).refuses.insert(node);
  const Plan plan = world.deploy_plan(Permille{100});
  const State state = world.run(plan, start(plan));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on(world.green) == 9);
  const auto& client = world.clients.at(FakeWorld::key(3));
  CHECK(world.steering.homes.at(client.endpoint) == client.session);
  const Report report = report_of(plan, state, world.now);
  const auto line = std::find_if(report.clients.begin(), report.clients.end(),
                                 [](const auto& it) { return !it.moved; });
  REQUIRE(line != report.clients.end());
  CHECK(line->name == "client-3");
  REQUIRE(line->why);
  CHECK(line->why->code == Code::no_handshake);
  CHECK(line->why->text.find("no handshake") != std::string::npos);
  CHECK(world.problems.empty());
}

TEST_CASE("a confirming packet that got lost is followed by another handshake") {
  FakeWorld world(1, 5);
  world.clients.at(FakeWorld::key(1)).deaf_to_commit.insert(world.green[0]);
  const Plan plan = world.deploy_plan();
  const State state = world.run(plan, start(plan));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on(world.green) == 5);
  CHECK(world.problems.empty());
}

TEST_CASE("a node whose dumps are late is not asked to give up sessions that work") {
  for (const int delay : {500, 1400, 1700, 2300}) {
    for (const bool old_node : {false, true}) {
      CAPTURE(delay);
      CAPTURE(old_node);
      FakeWorld world(1, 5);
      world.slow_reads = {{old_node ? world.blue[0] : world.green[0], Instant(delay)}};
      const Plan plan = world.deploy_plan();
      const State state = world.run(plan, start(plan));
      CAPTURE(joined(world.log));
      CHECK(state.rollout.outcome == Outcome::done);
      CHECK(world.on(world.green) == 5);
      CHECK(world.problems.empty());
    }
  }
}

TEST_CASE("a session that waited too long for its commit is prepared again") {
  constexpr unsigned kSilent = 8;
  FakeWorld world(1, kSilent + 1);
  Plan plan = world.deploy_plan(Permille{1000});
  plan.policy.batch = 1;
  State state = world.run(plan, start(plan), [](const State& it) {
    return std::holds_alternative<task::Commit>(it.rollout.task);
  });
  // Each of them, once switched, is waited for until the time-out; the last one's turn comes late.
  for (unsigned n = 1; n <= kSilent; ++n) world.clients.at(FakeWorld::key(n)).online = false;
  state = world.run(plan, std::move(state));
  CAPTURE(joined(world.log));
  REQUIRE(plan.policy.commit_timeout * kSilent > kPreparedLife);
  CHECK(joined(world.log).find("client-9 is prepared again: its session aged") !=
        std::string::npos);
  CHECK(is<stage::Moved>(state.movement.at(FakeWorld::key(kSilent + 1))));
}

TEST_CASE("an idle client is nudged until it answers") {
  FakeWorld world(1, 3);
  world.clients.at(FakeWorld::key(1)).talks = false;
  const Plan plan = world.deploy_plan();
  const State state = world.run(plan, start(plan));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on(world.green) == 3);
}

TEST_CASE("a node that freezes while clients move ends the deploy within a second") {
  for (const bool committing : {false, true}) {
    CAPTURE(committing);
    FakeWorld world(2, 20);
    Plan plan = world.deploy_plan();
    plan.policy.batch = 4;
    const State begun = world.run(plan, start(plan), [&](const State& state) {
      if (!committing) return std::holds_alternative<task::Prepare>(state.rollout.task);
      return std::holds_alternative<task::Commit>(state.rollout.task) &&
             world.on(world.green) > 4 && world.on(world.green) < 16;
    });
    REQUIRE_FALSE(finished(begun));
    world.frozen.insert(world.green[0]);
    const Instant froze = world.now;
    const State state = world.run(plan, begun);
    CAPTURE(joined(world.log));
    CHECK(world.now - froze < std::chrono::seconds(1));
    CHECK(state.rollout.outcome == (committing ? Outcome::rolled_back : Outcome::failed));
    for (const Client& client : state.movement) {
      CHECK((is<stage::Stayed>(client) || is<stage::Moved>(client)));
    }
    // Nobody's home is the frozen node, but for those that had moved there before.
    for (const auto& [endpoint, node] : world.steering.homes) {
      if (node != world.green[0]) continue;
      const bool had_moved = std::any_of(state.movement.begin(), state.movement.end(),
                                         [&, at_home = endpoint](const Client& it) {
                                           return it.endpoint == at_home && is<stage::Moved>(it);
                                         });
      CHECK(had_moved);
    }
    CHECK(world.problems.empty());
    if (!committing) continue;
    // It goes on, and what it was told to say takes nobody along who was called back.
    world.thaw(world.green[0]);
    for (const Client& client : state.movement) {
      if (is<stage::Stayed>(client)) {
        CHECK(world.clients.at(client.key).session != world.green[0]);
      }
    }
    const Plan back = world.plan(Kind::rollback, false);
    CHECK(world.run(back, start(back)).rollout.outcome == Outcome::done);
    CHECK(world.on(world.blue) == 20);
  }
}

TEST_CASE("a node that is lost once everybody was moved to it is told, with what to do") {
  FakeWorld world(1, 4);
  Plan plan = world.deploy_plan();
  const char* way = "move everybody back with `weir-deployer rollback`";
  SUBCASE("by a deploy") {}
  SUBCASE("by a rollback") {
    REQUIRE(world.run(plan, start(plan)).rollout.outcome == Outcome::done);
    plan = world.plan(Kind::rollback, false);
    way = "move everybody to another pool with `weir-deployer deploy --to`";
  }
  const State begun = world.run(plan, start(plan), [](const State& state) {
    return std::holds_alternative<task::Follow>(state.rollout.task);
  });
  REQUIRE_FALSE(finished(begun));
  world.frozen.insert(plan.to.front());
  const State state = world.run(plan, begun);
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::needs_person);
  REQUIRE(state.rollout.refusal);
  CHECK(state.rollout.refusal->code == Code::node_lost);
  CHECK(state.rollout.refusal->text.find(way) != std::string::npos);
}

TEST_CASE("rights that a dead deployer left end, although the nodes that have them are frozen") {
  FakeWorld world(2, 12);
  const Plan plan = world.deploy_plan();
  world.run(plan, start(plan), [&](const State& state) {
    return state.movement.count<stage::Kicked>() + state.movement.count<stage::Prepared>() > 6;
  });
  REQUIRE_FALSE(world.steering.kicks.empty());
  world.die();
  for (const NodeId& node : world.green) world.frozen.insert(node);
  const Plan back = world.plan(Kind::rollback, false);
  CHECK(world.run(back, start(back)).rollout.outcome == Outcome::done);
  CAPTURE(joined(world.log));
  CHECK(world.steering.kicks.empty());
  CHECK(world.on(world.blue) == 12);
  // What these nodes say once they go on reaches nobody, until the next order has asked them.
  for (const NodeId& node : world.green) world.thaw(node);
  CHECK(world.on(world.blue) == 12);
  const Plan again = world.deploy_plan();
  CHECK(world.run(again, start(again)).rollout.outcome == Outcome::done);
  CHECK(world.steering.holds.empty());
  CHECK(world.on(world.green) == 12);
  CHECK(world.problems.empty());
}

TEST_CASE("frozen nodes are left at once: everybody is back within a second") {
  FakeWorld world(2, 30);
  const Plan there = world.deploy_plan();
  REQUIRE(world.run(there, start(there)).rollout.outcome == Outcome::done);
  const Plan back = world.plan(Kind::rollback, false);
  for (const NodeId& node : world.green) world.frozen.insert(node);
  const Instant ordered = world.now;
  const State state = world.run(back, start(back));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on(world.blue) == 30);
  CHECK(world.steering.active == director::equal_weights(world.blue));
  for (const Client& client : state.movement) {
    REQUIRE(is<stage::Moved>(client));
    CHECK(std::get<stage::Moved>(client.stage).at - ordered < Instant(1000));
  }
}

TEST_CASE("wrong clocks and failing probes stop a deploy before steering is touched") {
  FakeWorld world(1, 3);
  const director::Intent before = world.steering;
  SUBCASE("clock") {
    world.clocks = {{world.blue[0], {}}, {world.green[0], std::chrono::seconds(60)}};
  }
  SUBCASE("probe") {
    world.probe_fails = true;
  }
  SUBCASE("a node that does not take its peers") {
    world.refuses_feed.insert(world.green[0]);
  }
  Plan plan = world.deploy_plan();
  plan.probe_source = IpAddress::v4({10, 0, 0, 250});
  const State state = world.run(plan, start(plan));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::failed);
  CHECK(state.rollout.refusal);
  CHECK(world.steering == before);
  CHECK_FALSE(world.green_runs);
}

TEST_CASE("a deploy that stops does not end a pool that serves already") {
  FakeWorld world(2, 0);
  world.green_runs = true;
  world.probe_fails = true;
  Plan plan = world.deploy_plan();
  plan.probe_source = IpAddress::v4({10, 0, 0, 250});
  SUBCASE("it is the active one, with nobody's home on it yet") {
    world.steering.active = director::equal_weights(world.green);
  }
  SUBCASE("one of its nodes takes a share") {
    world.steering.active = director::equal_weights({world.blue[0], world.green[1]});
  }
  SUBCASE("a client's home is there") {
    world.steering.homes.emplace(FakeWorld::endpoint(7), world.green[0]);
  }
  const State state = world.run(plan, start(plan));
  CAPTURE(joined(world.log));
  CHECK(world.green_runs);
  CHECK(state.rollout.outcome == Outcome::needs_person);
  CHECK(joined(world.log).find("pool green is kept") != std::string::npos);
}

TEST_CASE("a deployer that died while preparing or committing is finished by the next one") {
  const std::vector<Stage> stages = {stage::Kicked{}, stage::Prepared{}, stage::Releasing{},
                                     stage::Switched{}};
  for (const Stage& dies_at : stages) {
    for (const bool forward : {true, false}) {
      CAPTURE(name_of(dies_at));
      CAPTURE(forward);
      FakeWorld world(2, 12);
      Plan plan = world.deploy_plan();
      plan.policy.batch = 4;
      world.run(plan, start(plan), [&](const State& state) {
        return std::any_of(state.movement.begin(), state.movement.end(),
                           [&](const Client& it) { return it.stage.index() == dies_at.index(); });
      });
      // Another process: it knows nothing but what the world shows. The old one's orders are lost.
      Plan next = forward ? world.deploy_plan() : world.plan(Kind::rollback, false);
      FakeWorld after = world;
      const State state = after.run(next, start(next));
      CAPTURE(joined(after.log));
      CHECK(state.rollout.outcome == Outcome::done);
      CHECK(after.on(forward ? after.green : after.blue) == 12);
      CHECK(after.steering.kicks.empty());
      CHECK(after.steering.holds.empty());
      CHECK(after.steering.active == director::equal_weights(forward ? after.green : after.blue));
      CHECK(after.problems.empty());
    }
  }
}

TEST_CASE("somebody else's steering version is read again and the movement goes on") {
  FakeWorld world(1, 5);
  world.busy_once = true;
  const Plan plan = world.deploy_plan();
  CHECK(world.run(plan, start(plan)).rollout.outcome == Outcome::done);
  CHECK(world.on(world.green) == 5);
}

TEST_CASE("an interruption while preparing gives everybody up") {
  FakeWorld world(1, 5);
  const director::Intent before = world.steering;
  const Plan plan = world.deploy_plan();
  State state = world.run(plan, start(plan),
                          [](const State& it) { return it.movement.any<stage::Kicked>(); });
  state = world.run(plan, std::move(state), [](const State&) { return false; }, {0, Interrupted{}});
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::failed);
  CHECK(world.on(world.blue) == 5);
  CHECK(without_version(world.steering) == without_version(before));
  CHECK_FALSE(world.green_runs);
}

TEST_CASE("an interruption when nobody is left to move finishes, and says so") {
  FakeWorld world(1, 5);
  const Plan plan = world.deploy_plan();
  const auto everybody = [](const State& it) {
    return it.movement.count<stage::Moved, stage::Switched, stage::Releasing>() == 5;
  };
  bool (*when)(const State&) = nullptr;
  SUBCASE("while committing") {
    when = [](const State& it) { return std::holds_alternative<task::Commit>(it.rollout.task); };
  }
  SUBCASE("while the pool becomes the active one") {
    when = [](const State& it) { return std::holds_alternative<task::Activate>(it.rollout.task); };
  }
  SUBCASE("while those who came meanwhile are looked for") {
    when = [](const State& it) { return std::holds_alternative<task::Follow>(it.rollout.task); };
  }
  State state =
      world.run(plan, start(plan), [&](const State& it) { return when(it) && everybody(it); });
  REQUIRE_FALSE(finished(state));
  state = world.run(plan, std::move(state), [](const State&) { return false; }, {0, Interrupted{}});
  const std::string log = joined(world.log);
  CAPTURE(log);
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on(world.green) == 5);
  CHECK(world.steering.active == director::equal_weights(world.green));
  CHECK(log.find("nobody was left to move: finishing") != std::string::npos);
  CHECK(log.find("giving everybody up") == std::string::npos);
}

TEST_CASE("an interruption while some are moved calls nobody given up who is not") {
  FakeWorld world(1, 5);
  Plan plan = world.deploy_plan();
  plan.policy.batch = 2;
  State state = world.run(plan, start(plan), [](const State& it) {
    return std::holds_alternative<task::Commit>(it.rollout.task) && it.movement.any<stage::Moved>();
  });
  REQUIRE(state.movement.count<stage::Moved>() < 5);
  state = world.run(plan, std::move(state), [](const State&) { return false; }, {0, Interrupted{}});
  const std::string log = joined(world.log);
  CAPTURE(log);
  CHECK(state.rollout.outcome == Outcome::needs_person);
  REQUIRE(state.rollout.refusal);
  CHECK(state.rollout.refusal->text.find("of 5 clients are moved; finish with") !=
        std::string::npos);
  CHECK(log.find("interrupted: clients under way arrive") != std::string::npos);
  CHECK(log.find("giving everybody up") == std::string::npos);
}

}  // namespace weir::deployer
