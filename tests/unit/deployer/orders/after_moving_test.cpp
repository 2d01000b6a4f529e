// What goes wrong once clients were moved: it is told for what it is, and the next order goes on
// from there.
#include <algorithm>

#include "deployer/orders/edge/orders.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;

bool warns(const Report& report, const std::string& of) {
  return std::any_of(report.warnings.begin(), report.warnings.end(),
                     [&](const Reason& it) { return has(it.text, of); });
}

/// From now on a write of this kind finds the disk full.
void full_for(const FakeFleet& fleet, const std::string& writes) {
  fleet.in_state("CREATE TRIGGER full BEFORE " + writes +
                 " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END");
}

void make_room(const FakeFleet& fleet) {
  fleet.in_state("DROP TRIGGER full");
}

/// Two active clients on blue.
void bring_up(FakeFleet& fleet) {
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.connect(2, "blue-1");
}

std::size_t on(const FakeFleet& fleet, const char* node) {
  return static_cast<std::size_t>(
      std::count_if(fleet.clients.begin(), fleet.clients.end(),
                    [&](const auto& it) { return it.second.session == FakeFleet::node(node); }));
}

}  // namespace

TEST_CASE("a disk that is full while clients move ends the order for a person, and it goes on") {
  FakeFleet fleet(4, "policy: {batch: 1}\n");
  bring_up(fleet);
  full_for(fleet, "INSERT ON journal WHEN EXISTS (SELECT 1 FROM clients WHERE node = 'green-1')");
  const auto report = fleet.order(FakeFleet::deploy("two"));
  REQUIRE(report.has_value());
  CHECK(report->outcome == Outcome::needs_person);
  CHECK(exit_code(report->outcome) == 4);
  REQUIRE(report->refusal);
  CHECK(report->refusal->code == Code::unwritten);
  CHECK(has(report->refusal->text, "disk is full"));
  CHECK(has(report->refusal->text, "of 2 clients are moved"));
  CHECK(has(report->refusal->text, "deploy --release two"));
  CHECK(has(report->refusal->text, "weir-deployer rollback"));
  make_room(fleet);
  SUBCASE("onward") {
    fleet.done(FakeFleet::deploy("two"));
    CHECK(on(fleet, "green-1") == 2);
  }
  SUBCASE("back") {
    fleet.done(RollbackOrder{});
    CHECK(on(fleet, "blue-1") == 2);
  }
  CHECK(fleet.steering.kicks.empty());
  CHECK(fleet.steering.holds.empty());
}

TEST_CASE("a disk that is full before steering was touched is a failure like any other") {
  FakeFleet fleet(4);
  bring_up(fleet);
  full_for(fleet, "INSERT ON journal");
  const auto refused = fleet.order(FakeFleet::deploy("two"));
  REQUIRE_FALSE(refused.has_value());
  CHECK(has(refused.error().message, "disk is full"));
  CHECK(on(fleet, "blue-1") == 2);
}

TEST_CASE("an active pool that cannot be written down is a warning: the order was carried out") {
  FakeFleet fleet(4);
  bring_up(fleet);
  full_for(fleet, "INSERT ON active");
  const Report report = fleet.done(FakeFleet::deploy("two"));
  CHECK(on(fleet, "green-1") == 2);
  CHECK(warns(report, "does not say that pool green is the active one"));
  CHECK(warns(report, "weir-deployer up"));
  make_room(fleet);
  fleet.done(FakeFleet::up("two"));
  CHECK(fleet.site()->store().active_pool()->value() == *PoolName::parse("green"));
}

TEST_CASE("an end that cannot be written down is a warning, and the same order closes it") {
  FakeFleet fleet(4);
  bring_up(fleet);
  full_for(fleet, "UPDATE ON rollouts WHEN NEW.finished = 1");
  const Report report = fleet.done(FakeFleet::deploy("two"));
  CHECK(on(fleet, "green-1") == 2);
  CHECK(warns(report, "calls this order unfinished"));
  make_room(fleet);
  CHECK_FALSE((*fleet.site()->store().newest_movement())->finished);
  fleet.done(FakeFleet::deploy("two"));
  CHECK((*fleet.site()->store().newest_movement())->finished);
  CHECK(on(fleet, "green-1") == 2);
}

TEST_CASE("removed peers that cannot be forgotten are a warning, and up forgets them") {
  FakeFleet fleet(20);
  bring_up(fleet);
  fleet.registry.erase(2);
  fleet.write();
  SUBCASE("by the state") {
    full_for(fleet, "DELETE ON clients");
  }
  unsigned readings = 0;
  SUBCASE("by the director") {
    full_for(fleet, "DELETE ON active");  // happens with `down` alone
    // The movement's own last reading is the first one after the new pool became the active one.
    fleet.director_says = [&](std::string_view call) -> Status {
      const bool over = director::serves(fleet.steering.active, FakeFleet::node("green-1"));
      if (call == "read" && over && ++readings > 1) return fail(Errc::io, "nft: out of memory");
      return {};
    };
  }
  const Report report = fleet.done(FakeFleet::deploy("two"));
  CHECK(on(fleet, "green-1") == 1);
  CHECK(warns(report, "removed peers was not forgotten"));
  make_room(fleet);
  fleet.director_says = [](std::string_view) { return Status(); };
  fleet.done(FakeFleet::up("two"));
  CHECK_FALSE(fleet.site()->store().clients()->contains(FakeFleet::key(2)));
}

TEST_CASE("clients that cannot be moved back because of a full disk need a person") {
  FakeFleet fleet(4, "policy: {batch: 1}\n");
  bring_up(fleet);
  fleet.on_commit = [](FakeFleet& it, const NodeId& node) {
    it.nodes.at(node).machine = pool::MachineState::frozen;
  };
  full_for(fleet, "INSERT ON rollouts WHEN NEW.kind = 'rollback'");
  const auto report = fleet.order(FakeFleet::deploy("two"));
  REQUIRE(report.has_value());
  CHECK(report->outcome == Outcome::needs_person);
  REQUIRE(report->refusal);
  CHECK(has(report->refusal->text, "frozen or gone"));
  CHECK(has(report->refusal->text, "disk is full"));
  CHECK(has(report->refusal->text, "weir-deployer rollback"));
  make_room(fleet);
  fleet.done(RollbackOrder{});
  CHECK(on(fleet, "blue-1") == 2);
}

TEST_CASE("a fleet that was taken down in part needs a person, and down again finishes it") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  fleet.director_says = [](std::string_view call) -> Status {
    if (call == "remove") return fail(Errc::kernel, "nft: device or resource busy");
    return {};
  };
  const auto report = fleet.order(DownOrder{});
  REQUIRE(report.has_value());
  CHECK(exit_code(report->outcome) == 4);
  REQUIRE(report->refusal);
  CHECK(has(report->refusal->text, "resource busy"));
  CHECK(has(report->refusal->text, "weir-deployer down"));
  fleet.director_says = [](std::string_view) { return Status(); };
  fleet.done(DownOrder{});
  CHECK_FALSE(fleet.installed);
}

TEST_CASE(
    "a ruleset that is flushed while clients move: up makes it again, and the deploy goes on") {
  FakeFleet fleet(4, "policy: {batch: 1}\n");
  bring_up(fleet);
  fleet.on_commit = [](FakeFleet& it, const NodeId&) {
    it.installed = false;
    it.steering = {};
  };
  const auto report = fleet.order(FakeFleet::deploy("two"));
  REQUIRE(report.has_value());
  CHECK(report->outcome == Outcome::needs_person);
  REQUIRE(report->refusal);
  CHECK(has(report->refusal->text, "release of pool blue"));
  CHECK(on(fleet, "green-1") == 1);
  fleet.on_commit = [](FakeFleet&, const NodeId&) {};
  fleet.done(FakeFleet::up("one"));
  fleet.done(FakeFleet::deploy("two"));
  CHECK(on(fleet, "green-1") == 2);
  CHECK((*fleet.site()->store().newest_movement())->finished);
}

TEST_CASE("up is refused where the director cannot be asked whether it steers already") {
  FakeFleet fleet(2);
  SUBCASE("nothing was up before") {}
  SUBCASE("it steers") {
    fleet.done(FakeFleet::up("one"));
  }
  const unsigned boots = fleet.nodes.at(FakeFleet::node("blue-1")).boots;
  const director::Intent before = fleet.steering;
  fleet.director_says = [](std::string_view call) -> Status {
    if (call == "installed") return fail(Errc::kernel, "nft: netlink: no buffer space");
    return {};
  };
  const auto refused = fleet.order(FakeFleet::up("one"));
  REQUIRE_FALSE(refused.has_value());
  CHECK(has(refused.error().message, "no buffer space"));
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).boots == boots);
  CHECK(fleet.steering == before);
}

}  // namespace weir::deployer
