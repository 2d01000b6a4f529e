// Whatever goes wrong and whenever the deployer dies: nobody loses a session, and what is left
// behind can be finished or undone.
#include <doctest/doctest.h>

#include <random>

#include "tests/property/chance.h"
#include "tests/unit/deployer/rollout/fake_world.h"

namespace weir::deployer {
namespace {

constexpr unsigned kCases = 400;
constexpr unsigned kClients = 12;

Plan deploy_plan(const FakeWorld& world, std::mt19937& random) {
  Plan plan = world.deploy_plan(Permille{static_cast<std::uint16_t>(random() % 3 == 0 ? 0 : 500)});
  plan.policy.batch = 1 + random() % 20;
  return plan;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

void check_end(const FakeWorld& world, const State& state) {
  CAPTURE(text_of(world.log));
  CAPTURE(text_of(world.problems));
  CHECK(world.problems.empty());
  CHECK(world.steering.kicks.empty());
  CHECK(world.steering.holds.empty());
  for (const auto& entry : world.clients) {
    const PublicKey& key = entry.first;
    const auto& client = entry.second;
    const Client* known = state.movement.find(key);
    if (known == nullptr) continue;
    CAPTURE(state.rollout.refusal ? state.rollout.refusal->text : std::string());
    CAPTURE(shown(world.plan(Kind::deploy), key));
    CAPTURE(name_of(known->stage));
    const auto home = world.steering.homes.find(client.endpoint);
    CHECK(client.session == (is<stage::Moved>(*known) ? known->to : known->from));
    if (home != world.steering.homes.end()) CHECK(home->second == client.session);
  }
}

}  // namespace

TEST_CASE("packets and requests get lost, clients refuse: nobody is cut off and nothing is left") {
  for (unsigned seed = 1; seed <= kCases; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    FakeWorld world(1 + random() % 3, kClients);
    world.lost = Chance{random, static_cast<unsigned>(random() % 300)};
    world.fails = Chance{random, static_cast<unsigned>(random() % 200)};
    for (auto& [key, client] : world.clients) {
      client.talks = random() % 4 != 0;
      if (random() % 10 == 0) client.refuses.insert(world.green.begin(), world.green.end());
    }
    const Plan plan = deploy_plan(world, random);
    const State state = world.run(plan, start(plan));
    check_end(world, state);
    if (state.rollout.outcome == Outcome::failed) CHECK(world.on(world.blue) == kClients);
    if (state.rollout.outcome == Outcome::done)
      CHECK(world.steering.active == director::equal_weights(world.green));
  }
}

TEST_CASE("the deployer dies anywhere: the next order finishes or undoes it") {
  for (unsigned seed = 1; seed <= kCases; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    FakeWorld world(1 + random() % 2, kClients);
    unsigned steps = 20 + random() % 300;
    const Plan plan = deploy_plan(world, random);
    world.run(plan, start(plan), [&](const State&) { return --steps == 0; });
    CAPTURE(text_of(world.log));
    FakeWorld after = world;
    after.die();
    const bool forward = random() % 2 == 0;
    const Plan next = forward ? deploy_plan(after, random) : after.plan(Kind::rollback, false);
    const State state = after.run(next, start(next));
    check_end(after, state);
    CHECK(state.rollout.outcome == Outcome::done);
    CHECK(after.on(forward ? after.green : after.blue) == kClients);
    CHECK(after.steering.active == director::equal_weights(forward ? after.green : after.blue));
  }
}

TEST_CASE("a node that freezes anywhere ends the deploy, and a rollback has everybody back") {
  for (unsigned seed = 1; seed <= kCases; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    FakeWorld world(1 + random() % 2, kClients);
    unsigned steps = 1 + random() % 400;
    const Plan plan = deploy_plan(world, random);
    State state = world.run(plan, start(plan), [&](const State&) { return --steps == 0; });
    const bool over = finished(state);
    const NodeId frozen = world.green[random() % world.green.size()];
    world.frozen.insert(frozen);
    state = world.run(plan, std::move(state));
    CAPTURE(text_of(world.log));
    if (!over && state.rollout.outcome == Outcome::failed) CHECK(world.on(world.blue) == kClients);
    const Plan back = world.plan(Kind::rollback, false);
    const State returned = world.run(back, start(back));
    CHECK(returned.rollout.outcome == Outcome::done);
    CHECK(world.on(world.blue) == kClients);
    CHECK(world.steering.kicks.empty());
    CAPTURE(text_of(world.problems));
    CHECK(world.problems.empty());
    // Whenever it goes on, nobody follows what it still has to say, and the next order tidies up.
    world.die();
    world.thaw(frozen);
    CHECK(world.on(world.blue) == kClients);
    const Plan again = deploy_plan(world, random);
    const State moved = world.run(again, start(again));
    check_end(world, moved);
    CHECK(moved.rollout.outcome == Outcome::done);
    CHECK(world.steering.holds.empty());
  }
}

TEST_CASE("an interruption anywhere ends in order") {
  for (unsigned seed = 1; seed <= kCases; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    FakeWorld world(1 + random() % 2, kClients);
    unsigned steps = 1 + random() % 200;
    const Plan plan = deploy_plan(world, random);
    State state = world.run(plan, start(plan), [&](const State&) { return --steps == 0; });
    state =
        world.run(plan, std::move(state), [](const State&) { return false; }, {0, Interrupted{}});
    check_end(world, state);
    if (state.rollout.outcome == Outcome::failed) CHECK(world.on(world.blue) == kClients);
  }
}

}  // namespace weir::deployer
