// Fleets of more than two pools: where a deploy goes, who comes along, and what becomes of a pool
// that the document does not name any more.
#include <nlohmann/json.hpp>

#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;
using Json = nlohmann::json;

const std::string kAmber = "  - {name: amber, driver: vm, nodes: [amber-1]}\n";

struct ThreePools : FakeFleet {
  ThreePools() : FakeFleet(4, kAmber) {
    nodes[node("amber-1")];
    put_release("three");
    done(up("one"));
  }
  [[nodiscard]] Json told(const Order& order) {
    const auto planned = plan(order);
    REQUIRE_MESSAGE(planned.has_value(), planned.error().message);
    return Json::parse(print_json(planned->plan));
  }
  [[nodiscard]] std::string refusal(const Order& order) {
    const auto planned = plan(order);
    const auto done = FakeFleet::order(order);
    REQUIRE_FALSE(planned.has_value());
    REQUIRE_FALSE(done.has_value());
    CHECK(planned.error().message == done.error().message);
    return planned.error().message;
  }
  [[nodiscard]] NodeId place_of(unsigned n) const { return *clients.at(key(n)).session; }
};

}  // namespace

TEST_CASE_FIXTURE(ThreePools, "a deploy goes to the next pool of the document, or to the named") {
  connect(1, "blue-1");
  CHECK(told(deploy("two"))["to_pool"] == "green");
  CHECK(told(deploy_to("amber", "two"))["to_pool"] == "amber");
  done(deploy_to("amber", "two"));
  CHECK(place_of(1) == node("amber-1"));
  CHECK(steering.active == director::equal_weights({node("amber-1")}));
  CHECK(nodes.at(node("green-1")).boots == 0);
  // Behind the last pool comes the first.
  CHECK(told(deploy("three"))["to_pool"] == "blue");
  CHECK(told(deploy_to("green", "three"))["to_pool"] == "green");
  CHECK(has(refusal(deploy_to("amber", "three")), "--to: pool amber is the active one already"));
  CHECK(has(refusal(deploy_to("pink", "three")),
            "--to: fleet t has no pool 'pink' (there are blue, green, amber)"));
}

TEST_CASE_FIXTURE(ThreePools, "a rollback goes where the last deploy came from, and no further") {
  connect(1, "blue-1");
  done(deploy("two"));
  done(deploy("three"));
  CHECK(place_of(1) == node("amber-1"));
  const Json back = told(RollbackOrder{});
  CHECK(back["from_pool"] == "amber");
  CHECK(back["to_pool"] == "green");
  done(RollbackOrder{});
  CHECK(place_of(1) == node("green-1"));
  // What runs on blue is the release before both.
  CHECK(has(refusal(RollbackOrder{}), "there is nothing to roll back"));
}

TEST_CASE_FIXTURE(ThreePools, "whoever names a pool is moved there with the release that runs") {
  connect(1, "blue-1");
  CHECK(told(deploy("one"))["nothing_to_do"] == true);
  done(deploy_to("green", "one"));
  CHECK(place_of(1) == node("green-1"));
}

TEST_CASE_FIXTURE(ThreePools, "who was left behind on another pool comes along") {
  connect(1, "blue-1");
  done(deploy("two"));
  // A client that an earlier rollout could not move still lives on blue.
  connect(2, "blue-1");
  steering.homes.insert_or_assign(clients.at(key(2)).endpoint, node("blue-1"));
  const Json plan = told(deploy("three"));
  CHECK(plan["moves"].size() == 2);
  done(deploy("three"));
  CHECK(place_of(1) == node("amber-1"));
  CHECK(place_of(2) == node("amber-1"));
}

TEST_CASE_FIXTURE(ThreePools, "an unfinished deploy goes on to its own pool only") {
  connect(1, "blue-1");
  done(deploy_to("amber", "two"));
  in_state("UPDATE rollouts SET finished = 0, phase = 'judging' WHERE kind = 'deploy'");
  CHECK(told(deploy("two"))["to_pool"] == "amber");
  CHECK(has(refusal(deploy_to("green", "two")),
            "the deploy of two to pool amber was not finished; finish it without --to"));
}

TEST_CASE_FIXTURE(ThreePools, "every running pool is brought to the registry, and down ends all") {
  connect(1, "blue-1");
  done(deploy("two"));
  done(deploy("three"));
  registry.erase(4);
  write();
  done(up("three"));
  for (const char* name : {"blue-1", "green-1", "amber-1"}) {
    CAPTURE(name);
    CHECK_FALSE(nodes.at(node(name)).peers.contains(key(4)));
  }
  CHECK(told(DownOrder{})["end"] == Json::array({"amber-1", "blue-1", "green-1"}));
  done(DownOrder{});
  for (const auto& [name, it] : nodes) CHECK(it.machine == pool::MachineState::gone);
}

TEST_CASE("a pool that the document does not name any more is told, and down ends it") {
  FakeFleet fleet(2, kAmber);
  fleet.nodes[FakeFleet::node("amber-1")];
  fleet.done(FakeFleet::up("one"));
  fleet.done(FakeFleet::deploy_to("amber", "two"));
  fleet.done(RollbackOrder{});
  std::string text = *read_file(fleet.folder + "/fleet.yaml", ByteCount{1 << 16});
  text.erase(text.find(kAmber), kAmber.size());
  REQUIRE(write_file(fleet.folder + "/fleet.yaml", text).has_value());

  const auto planned = fleet.plan(FakeFleet::deploy("two"));
  REQUIRE(planned.has_value());
  CHECK(has(print_text(planned->plan), "node amber-1 has a machine, and the fleet does not name"));
  const auto back = fleet.plan(RollbackOrder{});
  REQUIRE_FALSE(back.has_value());
  CHECK(has(back.error().message,
            "the last rollout went from pool amber to pool blue: fleet t has no pool 'amber'"));
  // What the state says of a machine that is gone is no machine.
  auto& amber = fleet.nodes.at(FakeFleet::node("amber-1"));
  amber.machine = pool::MachineState::gone;
  CHECK_FALSE(has(print_text(fleet.plan(FakeFleet::deploy("two"))->plan), "amber-1"));
  amber.machine = pool::MachineState::frozen;
  const auto down = fleet.plan(DownOrder{});
  REQUIRE(down.has_value());
  CHECK(Json::parse(print_json(down->plan))["end"] == Json::array({"blue-1", "amber-1"}));
  fleet.done(DownOrder{});
  CHECK(fleet.nodes.at(FakeFleet::node("amber-1")).machine == pool::MachineState::gone);
}

TEST_CASE("a pool that was renamed while it serves is told of, in place of a crash") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  std::string text = *read_file(fleet.folder + "/fleet.yaml", ByteCount{1 << 16});
  text.replace(text.find("name: blue"), 10, "name: teal");
  REQUIRE(write_file(fleet.folder + "/fleet.yaml", text).has_value());
  // Its nodes are the same, so the steering is; a state that names another pool is not.
  fleet.installed = false;
  const auto planned = fleet.plan(FakeFleet::up("one"));
  REQUIRE_FALSE(planned.has_value());
  CHECK(has(planned.error().message,
            "the active pool as ordered last: fleet t has no pool 'blue' (there are teal, green)"));
}

}  // namespace weir::deployer
