// What an order that comes to nothing says: in a sentence, and in a word for machines.
#include <nlohmann/json.hpp>

#include "deployer/serve/edge/serve.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;
using Json = nlohmann::json;

}  // namespace

TEST_CASE("a node whose kernel gives up is not waited for") {
  FakeFleet fleet(2);
  fleet.nodes.at(FakeFleet::node("blue-1")).comes_up = false;
  // As QEMU's console had it: Debian's 6.1 with rdinit= set to what is not there.
  fleet.console =
      "[    3.130671] Kernel panic - not syncing: VFS: Unable to mount root fs on "
      "unknown-block(0,0)\n[    3.2] CPU: 0 PID: 1";
  const auto report = fleet.order(FakeFleet::up("one"));
  REQUIRE(report.has_value());
  CHECK(report->outcome == Outcome::failed);
  REQUIRE(report->refusal);
  CHECK(has(report->refusal->text,
            "node blue-1 did not come up: its kernel gave up: Kernel panic - not syncing: VFS: "
            "Unable to mount root fs on unknown-block(0,0)"));
}

TEST_CASE("an order that is refused before it begins says why in a word, too") {
  const auto code = [](FakeFleet& fleet, const Order& order) {
    const auto planned = fleet.plan(order);
    REQUIRE_FALSE(planned.has_value());
    CHECK(code_named(planned.error().reason) != Code::failed);
    return std::string(planned.error().reason);
  };
  FakeFleet fleet(20);
  CHECK(code(fleet, RollbackOrder{}) == "not_up");
  CHECK(code(fleet, FakeFleet::deploy("two")) == "not_up");
  fleet.done(FakeFleet::up("one"));
  CHECK(code(fleet, RollbackOrder{}) == "no_way_back");
  CHECK(code(fleet, FakeFleet::up("two")) == "other_release");
  CHECK(code(fleet, FakeFleet::deploy_to("blue", "two")) == "already_active");
  fleet.registry = {1, 2};
  fleet.write();
  CHECK(code(fleet, FakeFleet::deploy("two")) == "too_many_removed");
  fleet.maker = director::Maker::other;
  CHECK(code(fleet, FakeFleet::deploy("two")) == "not_ours");
  const ControlReply told =
      refusal_of(FakeFleet::deploy("two"), fleet.plan(RollbackOrder{}).error());
  CHECK(Json::parse(told.json)["code"] == "not_ours");
}

}  // namespace weir::deployer
