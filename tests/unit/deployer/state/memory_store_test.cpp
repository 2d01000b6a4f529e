#include "deployer/state/memory/edge/memory_store.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>

#include "deployer/state/sqlite/edge/sqlite_store.h"

namespace weir::deployer {
namespace {

PublicKey key(std::uint8_t n) {
  std::array<std::uint8_t, 32> raw{};
  raw[0] = n;
  return PublicKey::from_raw(raw);
}

/// What every backend does, whatever it keeps things in.
void check_contract(StateStore& store) {
  const PoolName blue = *PoolName::parse("blue");
  const PoolName green = *PoolName::parse("green");
  const NodeId node = *NodeId::parse("blue-1");
  const Endpoint endpoint = *Endpoint::parse("192.0.2.1:5");
  const StoredRollout rollout{0,  Kind::deploy, "new", blue,    green, Phase::planned,
                              17, false,        {},    "a plan"};
  CHECK(store.rollouts(1)->empty());
  const auto first = store.begin_rollout(rollout);
  const auto second = store.begin_rollout(rollout);
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK(*second > *first);
  REQUIRE(store
              .append({*second,
                       5,
                       Phase::preparing,
                       {"because"},
                       {"kick"},
                       {{key(1), endpoint, node}},
                       {"one", std::string("t\0wo", 4)}})
              .has_value());
  CHECK(store.journal(*second)->plan == "a plan");
  CHECK(store.journal(*second)->records ==
        std::vector<std::string>{"one", std::string("t\0wo", 4)});
  CHECK_MESSAGE(store.journal(*first)->plan == "a plan", "a beginning waits for no long journal");
  REQUIRE(store.forget_journals_before(*second).has_value());
  CHECK(store.journal(*first)->plan.empty());
  CHECK(store.journal(*second)->records.size() == 2);
  CHECK((*store.rollouts(1))[0].id == *second);
  CHECK((*store.rollouts(1))[0].phase == Phase::preparing);
  CHECK(store.rollouts(5)->size() == 2);
  REQUIRE(store.finish_rollout(*second, Phase::committed, "done").has_value());
  CHECK((*store.rollouts(2))[1].finished);
  CHECK((*store.rollouts(2))[0].outcome == "done");
  REQUIRE(store.put_clients({{key(2), endpoint, node}, {key(3), endpoint, node}}).has_value());
  CHECK(store.clients()->size() == 3);
  REQUIRE(store.forget_clients({key(2), key(9)}).has_value());
  CHECK_FALSE(store.clients()->contains(key(2)));
  REQUIRE(store.forget_all_clients().has_value());
  CHECK(store.clients()->empty());
  CHECK_MESSAGE(store.journal(*second)->records.empty(), "it names where clients were");
  const Digest digest = Digest::of(as_bytes("x"));
  REQUIRE(store.put_machine({{node, 4711, 99, "/x"}, digest}).has_value());
  CHECK(store.machines()->at(node).record.pid == 4711);
  REQUIRE(store.forget_machine(node).has_value());
  CHECK(store.machines()->empty());
  REQUIRE(store.put_pool(blue, {*ReleaseName::parse("r"), digest}).has_value());
  CHECK(store.pools()->at(blue).release_digest == digest);
  REQUIRE(store.forget_pool(blue).has_value());
  CHECK(store.pools()->empty());
  REQUIRE(store.set_active_pool(green).has_value());
  CHECK(**store.active_pool() == green);
  REQUIRE(store.set_active_pool({}).has_value());
  REQUIRE(store.set_steered_namespace("weir").has_value());
  CHECK(store.steered_namespace()->value() == "weir");
  REQUIRE(store.set_steered_namespace({}).has_value());
  CHECK_FALSE(store.steered_namespace()->has_value());
  CHECK_FALSE(store.active_pool()->has_value());
}

}  // namespace

TEST_CASE("both memories of a fleet keep one contract") {
  MemoryStore memory;
  check_contract(memory);
  std::string folder = "/tmp/weirt-store-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  {
    auto sqlite = SqliteStore::open(folder + "/fleet.db");
    REQUIRE(sqlite.has_value());
    check_contract(*sqlite);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace weir::deployer
