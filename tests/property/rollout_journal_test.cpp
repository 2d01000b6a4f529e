// What a rollout wrote down leads, from any place on, to where it was; and the index of its clients
// says what a look at all of them says.
#include <doctest/doctest.h>

#include <random>

#include "deployer/rollout/journal.h"
#include "tests/property/chance.h"
#include "tests/unit/deployer/rollout/fake_world.h"

namespace weir::deployer {
namespace {

constexpr unsigned kJournals = 60;

void check_same(const State& a, const State& b) {
  CHECK(a.next == b.next);
  CHECK(a.movement == b.movement);
  CHECK(a.rollout.task.index() == b.rollout.task.index());
  CHECK(a.rollout.phase == b.rollout.phase);
  CHECK(a.rollout.outcome == b.rollout.outcome);
  CHECK(a.rollout.refusal == b.rollout.refusal);
  CHECK(a.rollout.warnings == b.rollout.warnings);
  CHECK(a.rollout.targets == b.rollout.targets);
  CHECK(a.rollout.dead == b.rollout.dead);
  CHECK(a.rollout.lost == b.rollout.lost);
  CHECK(a.steering.intent == b.steering.intent);
  CHECK(a.steering.applied == b.steering.applied);
  CHECK(a.steering.learned_homes == b.steering.learned_homes);
  CHECK(a.steering.known == b.steering.known);
  CHECK(a.steering.delta == b.steering.delta);
  REQUIRE(a.nodes.size() == b.nodes.size());
  for (const auto& [node, view] : a.nodes) {
    const NodeView& other = b.nodes.at(node);
    CHECK(view.peers == other.peers);
    CHECK(view.known == other.known);
    CHECK(view.reading == other.reading);
    CHECK(view.read_at == other.read_at);
    CHECK(view.answered_at == other.answered_at);
    CHECK(view.failures == other.failures);
  }
}

template <class S>
std::size_t counted(const Roster& clients, const NodeId* to) {
  return static_cast<std::size_t>(std::count_if(
      clients.begin(), clients.end(),
      [&](const Client& it) { return is<S>(it) && (to == nullptr || it.to == *to); }));
}

template <class S>
void check_stage(const FakeWorld& world, const Roster& clients) {
  CHECK(clients.count<S>() == counted<S>(clients, nullptr));
  for (const NodeId& node : world.green) {
    CHECK(clients.count_to<S>(node) == counted<S>(clients, &node));
  }
}

template <class... S>
void check_index(const FakeWorld& world, const Roster& clients, std::variant<S...>*) {
  (check_stage<S>(world, clients), ...);
  const auto failed = std::count_if(clients.begin(), clients.end(), [](const Client& it) {
    return is<stage::Stayed>(it) && it.counted;
  });
  CHECK(clients.failed() == static_cast<std::size_t>(failed));
}

}  // namespace

TEST_CASE("any prefix of a journal replays to the state that was there") {
  for (unsigned seed = 1; seed <= kJournals; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    FakeWorld world(1 + random() % 3, 10);
    world.lost = Chance{random, static_cast<unsigned>(random() % 300)};
    world.fails = Chance{random, static_cast<unsigned>(random() % 200)};
    if (random() % 3 == 0) world.registry.erase(FakeWorld::key(4));
    if (random() % 3 == 0) world.busy_once = true;
    std::vector<JournalRecord> journal;
    world.journal = &journal;
    Plan plan = world.deploy_plan(Permille{static_cast<std::uint16_t>(random() % 2 * 300)});
    plan.policy.batch = 1 + random() % 8;
    const std::size_t until = 1 + random() % 400;
    const State state =
        world.run(plan, start(plan), [&](const State&) { return journal.size() == until; });
    const auto plan_again = decode_plan(encode(plan));
    REQUIRE(plan_again);
    std::vector<JournalRecord> read;
    for (const JournalRecord& record : journal) {
      auto back = decode_record(encode(record));
      REQUIRE(back);
      read.push_back(std::move(*back));
    }
    const auto there = replay(*plan_again, read);
    CAPTURE(there ? std::string() : there.error().message);
    REQUIRE(there);
    check_same(state, *there);
  }
}

TEST_CASE("clients are counted by stage and node as a look at all of them would") {
  for (unsigned seed = 1; seed <= kJournals; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    FakeWorld world(1 + random() % 3, 12);
    world.lost = Chance{random, static_cast<unsigned>(random() % 300)};
    Plan plan = world.deploy_plan(Permille{500});
    plan.policy.batch = 1 + random() % 8;
    world.run(plan, start(plan), [&](const State& state) {
      check_index(world, state.movement, static_cast<Stage*>(nullptr));
      return false;
    });
  }
}

}  // namespace weir::deployer
