// What is said while nothing happens.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/text.h"
#include "tests/unit/deployer/rollout/fake_world.h"

namespace weir::deployer {
namespace {

using std::chrono::seconds;
using test::has;
using test::joined;

/// Runs to the end, and tells for how long at most nothing was said.
Instant longest_silence(FakeWorld& world, const Plan& plan, State state) {
  Instant longest{0};
  Instant said = world.now;
  std::size_t lines = world.log.size();
  state = world.run(plan, std::move(state), [&](const State&) {
    if (world.log.size() != lines) said = world.now;
    lines = world.log.size();
    longest = std::max(longest, world.now - said);
    return false;
  });
  CHECK(finished(state));
  return longest;
}

State about_to_commit(FakeWorld& world, const Plan& plan) {
  return world.run(plan, start(plan), [](const State& it) {
    return std::holds_alternative<task::Commit>(it.rollout.task);
  });
}

}  // namespace

TEST_CASE("whoever waits for quiet clients is told how many they are and how long it lasts") {
  FakeWorld world(2, 10);
  const Plan plan = world.deploy_plan(Permille{1000});
  State state = about_to_commit(world, plan);
  for (const unsigned n : {2U, 5U, 9U}) world.clients.at(FakeWorld::key(n)).online = false;
  const std::string told = "7 of 10 clients moved; waiting for 3 quiet clients (up to ";
  const auto is_told = [&](const State&) { return world.log.back().starts_with(told); };
  state = world.run(plan, std::move(state), is_told);
  const Instant until = world.now + seconds(std::stoi(world.log.back().substr(told.size())));
  state = world.run(plan, std::move(state),
                    [&](const State& it) { return it.movement.any<stage::Returning>(); });
  CHECK(world.now > until - seconds(2));
  CHECK(world.now < until + seconds(1));
  CHECK(std::count_if(world.log.begin(), world.log.end(),
                      [&](const std::string& line) { return line.starts_with(told); }) == 4);
  CHECK(longest_silence(world, plan, std::move(state)) <= seconds(5));
  CHECK(world.problems.empty());
}

TEST_CASE("one quiet client is one client, and nothing is said where all goes on at once") {
  FakeWorld world(1, 2);
  const Plan plan = world.deploy_plan(Permille{1000});
  const State committing = about_to_commit(world, plan);
  CHECK_FALSE(joined(world.log).find("waiting for") != std::string::npos);
  world.clients.at(FakeWorld::key(2)).online = false;
  world.run(plan, committing);
  CHECK(has(joined(world.log), "1 of 2 clients moved; waiting for 1 quiet client (up to "));
}

TEST_CASE("whoever waits for machines to boot is told so every few seconds, by a correct number") {
  FakeWorld world(1, 3);
  world.boot_takes = seconds(11);
  const Plan plan = world.deploy_plan();
  CHECK(longest_silence(world, plan, start(plan)) <= seconds(5));
  CHECK(has(joined(world.log),
            "waiting for 1 node of pool green to boot (3 s since the order, up to 180 s)\n"));
  FakeWorld two(2, 3);
  two.boot_takes = seconds(11);
  const Plan both = two.deploy_plan();
  CHECK(longest_silence(two, both, start(both)) <= seconds(5));
  CHECK(has(joined(two.log), "waiting for 2 nodes of pool green to boot ("));
}

TEST_CASE("whoever waits for handshakes is told how many are there") {
  FakeWorld world(1, 10);
  world.clients.at(FakeWorld::key(3)).refuses.insert(world.green[0]);
  const Plan plan = world.deploy_plan(Permille{1000});
  CHECK(longest_silence(world, plan, start(plan)) <= seconds(5));
  CHECK(has(joined(world.log),
            "9 of 10 clients prepared; waiting for handshakes with 1 client (up to 20 s each)\n"));
}

TEST_CASE("of the clients whose node died it is told how many are called") {
  FakeWorld world(1, 4);
  const Plan plan = world.plan(Kind::rollback);
  for (const NodeId& node : world.blue) world.frozen.insert(node);
  world.clients.at(FakeWorld::key(1)).online = false;
  CHECK(longest_silence(world, plan, start(plan)) <= seconds(5));
  CHECK(has(joined(world.log), "3 of 4 clients moved; 1 client called with a handshake\n"));
}

}  // namespace weir::deployer
