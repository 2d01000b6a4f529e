// Steering that stands on the host, and whose it is.
#include "deployer/orders/edge/observe.h"
#include "deployer/orders/edge/orders.h"
#include "deployer/serve/status_report.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;

StatusReport status(FakeFleet& fleet) {
  const auto site = fleet.site();
  const auto seen = observe(*site, std::chrono::seconds(3));
  REQUIRE(seen.has_value());
  return status_of(site->documents(), *seen);
}

void refuse(FakeFleet& fleet, const Order& order) {
  CAPTURE(name_of(order));
  for (const auto& error :
       {fleet.order(order).map([](auto&&) {}), fleet.plan(order).map([](auto&&) {})}) {
    REQUIRE_FALSE(error.has_value());
    CHECK(has(error.error().message, "is not this fleet's"));
    CHECK(has(error.error().message, fleet.folder + "/state"));
    CHECK(has(error.error().message, "--fleet"));
  }
  CHECK(fleet.installed);
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).machine == pool::MachineState::gone);
}

}  // namespace

TEST_CASE(
    "steering that another state made is left alone by every order, and no status claims it") {
  FakeFleet fleet(2);
  fleet.installed = true;
  fleet.steering.active = director::equal_weights({FakeFleet::node("blue-1")});
  SUBCASE("its mark says so") {
    fleet.maker = director::Maker::other;
  }
  SUBCASE("it has no mark, and this fleet was never up") {
    fleet.maker = director::Maker::unknown;
  }
  SUBCASE("it has no mark, and this fleet was taken down") {
    fleet.installed = false;
    fleet.done(FakeFleet::up("one"));
    fleet.done(DownOrder{});
    fleet.installed = true;
    fleet.maker = director::Maker::unknown;
  }
  SUBCASE("its mark says so, whatever the state remembers") {
    fleet.installed = false;
    fleet.done(FakeFleet::up("one"));
    fleet.nodes.at(FakeFleet::node("blue-1")).machine = pool::MachineState::gone;
    fleet.maker = director::Maker::other;
  }
  refuse(fleet, DownOrder{});
  refuse(fleet, FakeFleet::up("one"));
  refuse(fleet, FakeFleet::deploy("two"));
  refuse(fleet, RollbackOrder{});
  const StatusReport report = status(fleet);
  CHECK_FALSE(report.steering);
  CHECK(has(report.director_trouble, "is not this fleet's"));
  for (const PoolStatus& pool : report.pools) CHECK_FALSE(pool.active);
}

TEST_CASE("a fleet that is up goes on with the unmarked steering of an earlier version") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  fleet.maker = director::Maker::unknown;
  CHECK(status(fleet).steering);
  fleet.done(FakeFleet::deploy("two"));
  fleet.done(DownOrder{});
  CHECK_FALSE(fleet.installed);
}

TEST_CASE("unmarked steering of an order that was killed before it booted is the fleet's own") {
  FakeFleet fleet(2);
  const auto site = fleet.site();
  const PoolName blue = *PoolName::parse("blue");
  StoredRollout killed{0, Kind::up, "one", blue, blue, Phase::booting, 1, false, {}};
  REQUIRE(site->store().begin_rollout(killed).has_value());
  fleet.installed = true;
  fleet.maker = director::Maker::unknown;
  fleet.done(DownOrder{});
  CHECK_FALSE(fleet.installed);
}

}  // namespace weir::deployer
