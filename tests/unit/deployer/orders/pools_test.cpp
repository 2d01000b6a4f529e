// Fleets of more than two pools: where a deploy goes, who comes along, and what becomes of a pool
// that the document does not name any more.
#include <nlohmann/json.hpp>

#include "deployer/orders/edge/observe.h"
#include "deployer/serve/status_report.h"
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

namespace {

/// The fleet document with `from` as `to`.
void edit(FakeFleet& fleet, std::string_view from, std::string_view to) {
  const std::string text = *read_file(fleet.folder + "/fleet.yaml", ByteCount{1 << 16});
  REQUIRE(write_file(fleet.folder + "/fleet.yaml", test::replaced(text, from, to)).has_value());
}

/// What every order but `down` says, and status.
std::string refused_by_all(FakeFleet& fleet) {
  std::string said;
  for (const Order& order : {FakeFleet::up("one"), FakeFleet::up("two"), FakeFleet::deploy("two"),
                             FakeFleet::deploy_to("green", "two"), Order(RollbackOrder{})}) {
    const auto planned = fleet.plan(order);
    const auto carried_out = fleet.order(order);
    REQUIRE_FALSE(planned.has_value());
    REQUIRE_FALSE(carried_out.has_value());
    CHECK(planned.error().message == carried_out.error().message);
    CHECK((said.empty() || said == planned.error().message));
    said = planned.error().message;
  }
  const auto site = fleet.site(SqliteStore::Access::read);
  const auto seen = observe(*site, std::chrono::seconds(3));
  CHECK(has(print_text(status_of(site->documents(), *seen)), said));
  return said;
}

}  // namespace

TEST_CASE("a pool that the document does not name any more is told, and down ends it") {
  FakeFleet fleet(2, kAmber);
  fleet.nodes[FakeFleet::node("amber-1")];
  fleet.done(FakeFleet::up("one"));
  fleet.done(FakeFleet::deploy_to("amber", "two"));
  fleet.done(RollbackOrder{});
  edit(fleet, kAmber, "");
  CHECK(has(refused_by_all(fleet),
            "release two was booted on pool amber, and fleet t has no pool 'amber' (there are "
            "blue, green): name it so again, or take the fleet down first"));
  const auto down = fleet.plan(DownOrder{});
  REQUIRE(down.has_value());
  CHECK(Json::parse(print_json(down->plan))["end"] == Json::array({"blue-1", "amber-1"}));
  // What the state says of a machine that is gone is no machine.
  auto& amber = fleet.nodes.at(FakeFleet::node("amber-1"));
  amber.machine = pool::MachineState::gone;
  CHECK(Json::parse(print_json(fleet.plan(DownOrder{})->plan))["end"] == Json::array({"blue-1"}));
  amber.machine = pool::MachineState::frozen;
  fleet.done(DownOrder{});
  CHECK(amber.machine == pool::MachineState::gone);
  fleet.done(FakeFleet::up("one"));
}

TEST_CASE("a machine of a node that a pool does not name any more is told by plans and status") {
  FakeFleet fleet(2);
  fleet.nodes[FakeFleet::node("x-1")];
  edit(fleet, "nodes: [blue-1]", "nodes: [blue-1, x-1]");
  fleet.done(FakeFleet::up("one"));
  edit(fleet, "nodes: [blue-1, x-1]", "nodes: [blue-1]");
  fleet.installed = false;  // a director that steers knows its nodes
  const std::string told = "node x-1 has a machine, and the fleet does not name it any more";
  const auto planned = fleet.plan(FakeFleet::up("one"));
  REQUIRE(planned.has_value());
  CHECK(has(print_text(planned->plan), told));
  const auto site = fleet.site(SqliteStore::Access::read);
  CHECK(has(print_text(status_of(site->documents(), *observe(*site, std::chrono::seconds(3)))),
            told));
}

TEST_CASE("a pool that was renamed while it serves is told of, and nobody loses a session") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  edit(fleet, "name: blue", "name: teal");
  CHECK(has(refused_by_all(fleet), "release one was booted on pool blue, and fleet t has no pool"));
  fleet.installed = false;
  CHECK(has(refused_by_all(fleet), "release one was booted on pool blue"));
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).boots == 1);
  CHECK(fleet.clients.at(FakeFleet::key(1)).lost == 0);
}

TEST_CASE("pools that changed their names with one another are told of") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.done(FakeFleet::deploy("two"));
  edit(fleet, "name: blue, driver: vm, nodes: [blue-1]", "name: blue, driver: vm, nodes: [x]");
  edit(fleet, "name: green, driver: vm, nodes: [green-1]",
       "name: green, driver: vm, nodes: [blue-1]");
  edit(fleet, "nodes: [x]", "nodes: [green-1]");
  CHECK(has(refused_by_all(fleet),
            "node blue-1 was booted in pool blue, and the fleet has it in pool green: name it so "
            "again"));
  CHECK(fleet.nodes.at(FakeFleet::node("green-1")).boots == 1);
  CHECK(fleet.clients.at(FakeFleet::key(1)).lost == 0);
}

TEST_CASE("a warm node that moved to another pool is told of") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  fleet.done(FakeFleet::deploy("two"));
  edit(fleet, "nodes: [blue-1]", "nodes: [x-1]");
  edit(fleet, "nodes: [green-1]", "nodes: [green-1, blue-1]");
  CHECK(has(refused_by_all(fleet), "node blue-1 was booted in pool blue, and the fleet has it in"));
}

TEST_CASE("nodes that serve together and are in two pools by now are told of") {
  FakeFleet fleet(2);
  fleet.nodes[FakeFleet::node("x-1")];
  edit(fleet, "nodes: [blue-1]", "nodes: [blue-1, x-1]");
  fleet.done(FakeFleet::up("one"));
  edit(fleet, "nodes: [blue-1, x-1]", "nodes: [blue-1]");
  edit(fleet, "nodes: [green-1]", "nodes: [x-1, green-1]");
  CHECK(has(
      refused_by_all(fleet),
      "node x-1 was booted in pool blue, and the fleet has it in pool green: name it so again"));
  // A state of a version that did not write that down.
  fleet.in_state("DELETE FROM pool_nodes");
  CHECK(has(refused_by_all(fleet),
            "nodes blue-1 and x-1 serve together, and the fleet has them in "
            "pools blue and green: name it so again"));
  CHECK(fleet.nodes.at(FakeFleet::node("x-1")).boots == 1);
}

TEST_CASE_FIXTURE(ThreePools, "a deploy that would end a client's session asks first") {
  for (const unsigned n : {1, 2, 3}) connect(n, "blue-1");
  done(deploy("two"));
  // One that went back, and lives on the pool that was left.
  connect(1, "blue-1");
  steering.homes.insert_or_assign(clients.at(key(1)).endpoint, node("blue-1"));
  CHECK(has(refusal(deploy_to("blue", "three")),
            "client client-1 lives on node blue-1, which is booted anew: it loses its session; "
            "deploy to another pool (--to), which moves it, or let more clients fail"));
  CHECK(clients.at(key(1)).lost == 0);
  SUBCASE("another pool moves it") {
    done(deploy_to("amber", "three"));
    CHECK(place_of(1) == node("amber-1"));
  }
  SUBCASE("a policy that lets it fail is told by name") {
    const std::string text = *read_file(folder + "/fleet.yaml", ByteCount{1 << 16});
    REQUIRE(write_file(folder + "/fleet.yaml", text + "policy: {max_failed: 40%}\n").has_value());
    CHECK(has(told(deploy_to("blue", "three"))["warnings"].dump(), "client client-1 lives on"));
    CHECK(
        has(refusal(DeployOrder{*ReleaseName::parse("three"), *PoolName::parse("blue"), true, {}}),
            "client client-1 lives on node blue-1"));
  }
}

TEST_CASE_FIXTURE(ThreePools, "a deploy that failed elsewhere does not take the way back away") {
  connect(1, "blue-1");
  done(deploy("two"));
  nodes.at(node("amber-1")).comes_up = false;
  nodes.at(node("amber-1")).answers = false;
  const std::string text = *read_file(folder + "/fleet.yaml", ByteCount{1 << 16});
  REQUIRE(write_file(folder + "/fleet.yaml", text + "policy: {boot_timeout: 100ms}\n").has_value());
  const auto failed = order(deploy_to("amber", "three"));
  REQUIRE(failed.has_value());
  CHECK(failed->outcome == Outcome::failed);
  CHECK(told(RollbackOrder{})["to_pool"] == "blue");
  // A pool that was booted anew for it is not what was left.
  nodes.at(node("blue-1")).comes_up = false;
  nodes.at(node("blue-1")).answers = false;
  REQUIRE(order(deploy_to("blue", "three")).has_value());
  CHECK(has(refusal(RollbackOrder{}),
            "the last deploy came from pool blue, where what was left "
            "does not run any more; move there with `weir-deployer "
            "deploy --to blue"));
}

TEST_CASE_FIXTURE(ThreePools, "a rollback to machines that are gone is refused before it begins") {
  connect(1, "blue-1");
  done(deploy("two"));
  nodes.at(node("blue-1")).machine = pool::MachineState::gone;
  CHECK(has(refusal(RollbackOrder{}),
            "no machine of pool blue runs, so there is nothing to move "
            "to; boot it again with `weir-deployer deploy --to blue"));
  done(deploy_to("blue", "three"));
  CHECK(place_of(1) == node("blue-1"));
  SUBCASE("one whose machines went while it ran leaves a way on by deploys") {
    in_state(
        "INSERT INTO rollouts (kind, release, from_pool, to_pool, phase, started, finished, "
        "outcome) VALUES ('rollback', '', 'blue', 'green', 'rolling_back', 1, 0, '')");
    nodes.at(node("green-1")).machine = pool::MachineState::gone;
    CHECK(has(refusal(RollbackOrder{}), "no machine of pool green runs"));
    done(deploy_to("amber", "two"));
    CHECK(place_of(1) == node("amber-1"));
    done(RollbackOrder{});
    CHECK(place_of(1) == node("blue-1"));
  }
}

TEST_CASE_FIXTURE(ThreePools, "a rollback that cannot be finished is left by who names a pool") {
  connect(1, "blue-1");
  connect(2, "blue-1");
  done(deploy("two"));
  // blue-1 runs on and answers nobody.
  nodes.at(node("blue-1")).answers = false;
  const auto back = FakeFleet::order(RollbackOrder{});
  REQUIRE(back.has_value());
  CHECK(back->outcome == Outcome::needs_person);
  CHECK(place_of(1) == node("green-1"));
  CHECK(has(refusal(deploy("three")),
            "a rollback to pool blue was not finished; run `weir-deployer rollback` first, or move "
            "everybody to a pool by name (--to)"));
  SUBCASE("for another pool") {
    done(deploy_to("amber", "three"));
    CHECK(place_of(1) == node("amber-1"));
    CHECK(place_of(2) == node("amber-1"));
  }
  SUBCASE("for the pool that did not answer, booted anew") {
    done(deploy_to("blue", "three"));
    CHECK(place_of(1) == node("blue-1"));
    done(RollbackOrder{});
    CHECK(place_of(1) == node("green-1"));
  }
  SUBCASE("or it is finished once its nodes answer") {
    nodes.at(node("blue-1")).answers = true;
    done(RollbackOrder{});
    CHECK(place_of(2) == node("blue-1"));
  }
}

TEST_CASE("what was deployed before a fleet was taken down is no way back") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  fleet.done(FakeFleet::deploy("two"));
  fleet.done(DownOrder{});
  fleet.done(FakeFleet::up("one"));
  const auto back = fleet.plan(RollbackOrder{});
  REQUIRE_FALSE(back.has_value());
  CHECK(has(back.error().message, "there is nothing to roll back"));
}

}  // namespace weir::deployer
