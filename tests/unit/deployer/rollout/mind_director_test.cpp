// A director that is lost, or refuses, while clients move.
#include <doctest/doctest.h>

#include "deployer/rollout/report.h"
#include "tests/text.h"
#include "tests/unit/deployer/rollout/fake_world.h"

namespace weir::deployer {
namespace {

using test::has;
using test::joined;

/// Some of the clients are moved, others are not.
State halfway(FakeWorld& world, const Plan& plan) {
  State state = world.run(plan, start(plan), [&](const State& it) {
    return std::holds_alternative<task::Commit>(it.rollout.task) && world.on(world.green) > 3;
  });
  REQUIRE_FALSE(finished(state));
  return state;
}

Plan plan_in_batches(const FakeWorld& world) {
  Plan plan = world.deploy_plan();
  plan.policy.batch = 4;
  return plan;
}

}  // namespace

TEST_CASE("a director that is lost while clients move is asked with pauses, and not for ever") {
  FakeWorld world(2, 20);
  const Plan plan = plan_in_batches(world);
  const State begun = halfway(world, plan);
  const Instant lost = world.now;
  const unsigned calls = world.director_calls;
  world.loses_director = [] { return true; };
  const State state = world.run(plan, begun);
  CAPTURE(joined(world.log));
  REQUIRE(finished(state));
  CHECK(state.rollout.outcome == Outcome::needs_person);
  CHECK(exit_code(state.rollout.outcome) == 4);
  CHECK(world.director_calls - calls <= 12);
  CHECK(world.now - lost > std::chrono::seconds(2));
  CHECK(world.now - lost < std::chrono::seconds(30));
  REQUIRE(state.rollout.refusal);
  CHECK(state.rollout.refusal->code == Code::director_failed);
  // What it is, and what to do: for one whose ruleset was flushed, and with the movement.
  CHECK(has(state.rollout.refusal->text, "not installed"));
  CHECK(has(state.rollout.refusal->text, "weir-deployer up"));
  CHECK(has(state.rollout.refusal->text, "pool blue"));
  CHECK(has(state.rollout.refusal->text, "deploy --release new"));
  CHECK(has(state.rollout.refusal->text, "weir-deployer rollback"));
  for (const Client& client : state.movement) {
    if (!is<stage::Moved>(client) && !is<stage::Waiting>(client)) CHECK(client.why);
  }
}

TEST_CASE("somebody who interrupts is not kept waiting by a director that is lost") {
  FakeWorld world(2, 20);
  const Plan plan = plan_in_batches(world);
  const State begun = halfway(world, plan);
  const Instant lost = world.now;
  world.loses_director = [] { return true; };
  const State state =
      world.run(plan, begun, [](const State&) { return false; }, {0, Interrupted{}});
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::needs_person);
  CHECK(world.now - lost < std::chrono::milliseconds(2600));
}

TEST_CASE("a director that fails a few times is read again, and the movement goes on") {
  FakeWorld world(2, 20);
  const Plan plan = plan_in_batches(world);
  const State begun = halfway(world, plan);
  unsigned fails = 9;
  world.loses_director = [&] { return fails != 0 && fails-- != 0; };
  const State state = world.run(plan, begun);
  CAPTURE(joined(world.log));
  CHECK(fails == 0);
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on(world.green) == 20);
  CHECK(world.problems.empty());
}

TEST_CASE("a director that can be read and refuses every change ends the rollout too") {
  FakeWorld world(2, 20);
  const Plan plan = plan_in_batches(world);
  State state{};
  SUBCASE("while clients move") {
    state = halfway(world, plan);
  }
  SUBCASE("when the pool is to become the active one") {
    state = world.run(plan, start(plan), [](const State& it) {
      return std::holds_alternative<task::Activate>(it.rollout.task);
    });
  }
  const Instant began = world.now;
  const unsigned calls = world.director_calls;
  world.refuses_deltas = true;
  state = world.run(plan, std::move(state));
  CAPTURE(joined(world.log));
  CHECK(state.rollout.outcome == Outcome::needs_person);
  CHECK(world.director_calls - calls <= 24);
  CHECK(world.now - began < std::chrono::seconds(30));
  REQUIRE(state.rollout.refusal);
  CHECK(has(state.rollout.refusal->text, "no such table"));
}

TEST_CASE("what a lost director broke off is finished, or undone, once it steers again") {
  for (const bool forward : {true, false}) {
    CAPTURE(forward);
    FakeWorld world(2, 20);
    const Plan plan = plan_in_batches(world);
    const State begun = halfway(world, plan);
    world.loses_director = [] { return true; };
    REQUIRE(world.run(plan, begun).rollout.outcome == Outcome::needs_person);
    world.die();
    // `up` makes the steering again: the pool in use, and what the nodes know of their clients.
    world.loses_director = [] { return false; };
    world.steering = {};
    world.steering.revision = 1;
    world.steering.active = director::equal_weights(world.blue);
    world.learned_homes.clear();
    for (const auto& [key, client] : world.clients) {
      world.learned_homes.insert_or_assign(client.endpoint, client.session);
    }
    const Plan next = forward ? world.deploy_plan() : world.plan(Kind::rollback, false);
    const State state = world.run(next, start(next));
    CAPTURE(joined(world.log));
    CHECK(state.rollout.outcome == Outcome::done);
    CHECK(world.on(forward ? world.green : world.blue) == 20);
    CHECK(world.problems.empty());
  }
}

}  // namespace weir::deployer
