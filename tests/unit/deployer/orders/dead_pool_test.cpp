// The active pool's machines are gone or frozen: what plans and status say of its clients is what
// an order then does.
#include <nlohmann/json.hpp>

#include "deployer/orders/edge/observe.h"
#include "deployer/serve/status_report.h"
#include "manifests/base/edge/file.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;
using Json = nlohmann::json;

/// Two clients were moved to green, whose machine then goes.
struct DeadPool : FakeFleet {
  DeadPool() : FakeFleet(3) {
    done(up("one"));
    connect(1, "blue-1");
    connect(2, "blue-1");
    done(deploy("two"));
  }
  [[nodiscard]] Json planned(const Order& order) {
    const auto out = plan(order);
    REQUIRE_MESSAGE(out.has_value(), out.error().message);
    return Json::parse(print_json(out->plan));
  }
  [[nodiscard]] StatusReport status() {
    const auto at = site();
    const auto observed = observe(*at, std::chrono::milliseconds(100));
    REQUIRE(observed.has_value());
    return status_of(at->documents(), *observed);
  }
};

}  // namespace

TEST_CASE_FIXTURE(DeadPool, "a rollback from a pool that is gone is planned with all its clients") {
  CHECK(status().advice.empty());
  auto& machine = nodes.at(node("green-1")).machine;
  SUBCASE("its machine is gone") {
    machine = pool::MachineState::gone;
  }
  SUBCASE("its machine is frozen") {
    machine = pool::MachineState::frozen;
  }
  const Json told = planned(RollbackOrder{});
  CHECK(told["moves"] == Json::parse(R"([{"from":"green-1","to":"blue-1","clients":2}])"));
  const StatusReport now = status();
  REQUIRE(now.clients.size() == 2);
  for (const ClientStatus& client : now.clients) {
    CHECK(client.node == node("green-1"));
    CHECK_FALSE(client.prepared_elsewhere);
    CHECK_FALSE(client.handshake_age_s.has_value());
  }
  CHECK(now.advice ==
        "green-1 does not run: move everybody back with `weir-deployer rollback`, or boot what is "
        "missing with `weir-deployer up --release two`");
  CHECK(has(print_text(now), "its node does not answer"));
  CHECK(Json::parse(print_json(now))["clients"][0]["handshake_age_s"].is_null());
  const Report back = done(RollbackOrder{});
  CHECK(back.clients.size() == 2);
  CHECK(clients.at(key(1)).session == node("blue-1"));
  CHECK(clients.at(key(2)).session == node("blue-1"));
  CHECK(status().advice.empty());
}

TEST_CASE_FIXTURE(DeadPool, "who cannot go back from a pool that is gone is told to boot it") {
  done(RollbackOrder{});
  nodes.at(node("blue-1")).machine = pool::MachineState::gone;
  CHECK(status().advice ==
        "blue-1 does not run: boot what is missing with `weir-deployer up --release one`");
}

TEST_CASE_FIXTURE(DeadPool, "a fleet is up where it was brought up, whatever its document names") {
  of_director = ", network_namespace: elsewhere";
  write();
  const std::string told =
      "director.network_namespace: the fleet is up in the host's network, and this is network "
      "namespace elsewhere: name it so again, or take the fleet down first (`weir-deployer down`)";
  for (const Order& order : {up("two"), deploy("one"), Order(RollbackOrder{})}) {
    const auto out = plan(order);
    REQUIRE_FALSE(out.has_value());
    CHECK(out.error().message == told);
    CHECK_FALSE(FakeFleet::order(order).has_value());
  }
  CHECK(has(print_text(status()), "fleet document: " + told));
  CHECK(nodes.at(node("green-1")).machine == pool::MachineState::running);
  SUBCASE("named so again, it goes on") {
    of_director = "";
    write();
    done(RollbackOrder{});
    CHECK(clients.at(key(1)).session == node("blue-1"));
  }
  SUBCASE("taken down, it can be brought up elsewhere") {
    done(DownOrder{});
    CHECK_FALSE(installed);
    done(up("two"));
    CHECK(site()->store().steered_namespace()->value() == "elsewhere");
  }
}

TEST_CASE_FIXTURE(DeadPool,
                  "a fleet that an earlier version brought up is noted by the next order") {
  in_state("DELETE FROM steered");
  done(deploy("two"));
  CHECK(site()->store().steered_namespace()->value().empty());
}

}  // namespace weir::deployer
