// The fleet's identity, before anything is done with it.
#include "deployer/orders/edge/orders.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;

}  // namespace

TEST_CASE(
    "an identity that cannot be opened is refused by plans and orders before any node boots") {
  FakeFleet fleet(2);
  const auto refuse = [&](const Order& order) {
    fleet.identity_is = fail(Errc::not_found, "identity: gone");
    const auto planned = fleet.plan(order);
    REQUIRE_FALSE(planned.has_value());
    CHECK(has(planned.error().message, "identity: gone"));
    const auto carried_out = fleet.order(order);
    REQUIRE_FALSE(carried_out.has_value());
    CHECK(has(carried_out.error().message, "identity: gone"));
    fleet.identity_is = {};
  };
  refuse(FakeFleet::up("one"));
  CHECK_FALSE(fleet.installed);
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).boots == 0);
  fleet.done(FakeFleet::up("one"));
  refuse(FakeFleet::deploy("two"));
  CHECK(fleet.nodes.at(FakeFleet::node("green-1")).boots == 0);
  // Who boots no node opens no identity, and who ends all looks at none.
  fleet.identity_is = fail(Errc::not_found, "identity: gone");
  CHECK(fleet.plan(FakeFleet::up("one")).has_value());
  fleet.done(FakeFleet::up("one"));
  CHECK(fleet.plan(DownOrder{}).has_value());
  fleet.done(DownOrder{});
}

TEST_CASE(
    "an identity that got a second epoch is refused before anything is done, but for going back") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.done(FakeFleet::deploy("two"));
  // RFC 7748, section 6.1: Bob's.
  fleet.identity_keys = {FakeFleet::kKey, "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="};
  const auto unchanged = [&] {
    for (const char* node : {"blue-1", "green-1"}) {
      const auto& is = fleet.nodes.at(FakeFleet::node(node));
      CHECK(is.machine == pool::MachineState::running);
      CHECK(is.boots == 1);
    }
    CHECK(fleet.clients.at(FakeFleet::key(1)).session == FakeFleet::node("green-1"));
  };
  // Blue is warm and would be kept; green serves, and has nothing to do.
  for (const Order& order :
       {FakeFleet::deploy_to("blue", "one"), FakeFleet::deploy("two"), FakeFleet::up("two")}) {
    const auto planned = fleet.plan(order);
    const auto ordered = fleet.order(order);
    REQUIRE_FALSE(planned.has_value());
    REQUIRE_FALSE(ordered.has_value());
    CHECK(planned.error().message == ordered.error().message);
    CHECK(has(planned.error().message, "identity: "));
    CHECK(has(planned.error().message, "holds two epochs"));
    CHECK(has(planned.error().message, "; nodes blue-1, green-1 hold the outgoing key"));
    CHECK_FALSE(has(planned.error().message, "another identity"));
    unchanged();
  }
  const Report back = fleet.done(RollbackOrder{});
  for (const Reason& warning : back.warnings) FAIL_CHECK(warning.text);
  CHECK(fleet.clients.at(FakeFleet::key(1)).session == FakeFleet::node("blue-1"));
  CHECK(fleet.clients.at(FakeFleet::key(1)).lost == 0);
  CHECK_FALSE(has(test::joined(fleet.said), "another identity"));
}

TEST_CASE("a node that is kept and holds another identity is refused before anything is done") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  fleet.done(FakeFleet::deploy("two"));
  fleet.identity_keys = {"3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="};
  const Order order = FakeFleet::deploy_to("blue", "one");
  const auto planned = fleet.plan(order);
  const auto ordered = fleet.order(order);
  REQUIRE_FALSE(planned.has_value());
  REQUIRE_FALSE(ordered.has_value());
  const std::string says = std::string("node blue-1 holds another identity (") + FakeFleet::kKey;
  CHECK(has(planned.error().message, says));
  CHECK(has(ordered.error().message, says));
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).machine == pool::MachineState::running);
}

}  // namespace weir::deployer
