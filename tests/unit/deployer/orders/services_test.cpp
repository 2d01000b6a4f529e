// Nodes whose images have services: they get their files, and nobody is moved to them before their
// services are up.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "deployer/orders/edge/observe.h"
#include "deployer/orders/edge/orders.h"
#include "deployer/serve/status_report.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using manifests::ServiceReport;
using manifests::ServiceState;
using test::has;

ServiceReport waiting_for(const std::string& file) {
  return {.name = "unbound",
          .state = ServiceState::waiting,
          .waits_for = "file " + file,
          .files = {file}};
}

/// Green's machines come up with this service, and the fleet has files for them.
void prepare(FakeFleet& fleet, const ServiceReport& service, unsigned mode = 0600) {
  fleet.of_green = ", files: {zone-key: 'secrets/{node}.key'}";
  REQUIRE(make_folders(fleet.folder + "/secrets").has_value());
  REQUIRE(write_file(fleet.folder + "/secrets/green-1.key", "hoPhahB4uuQu", mode).has_value());
  fleet.write();
  fleet.image_services[FakeFleet::node("green-1")] = {service};
  manifests::ServiceSettings baked{.name = service.name, .command = {"/usr/sbin/daemon"}};
  for (const std::string& file : service.files) baked.files.push_back({.name = file});
  fleet.release_services["two"] = {baked};
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
}

const FakeFleet::Node& green(const FakeFleet& fleet) {
  return fleet.nodes.at(FakeFleet::node("green-1"));
}

}  // namespace

TEST_CASE("a node is given its own file, and clients follow once its service is up") {
  FakeFleet fleet;
  prepare(fleet, waiting_for("zone-key"));
  fleet.done(FakeFleet::deploy("two"));
  CHECK(green(fleet).files.at("zone-key") == "hoPhahB4uuQu");
  CHECK(fleet.clients.at(FakeFleet::key(1)).session == FakeFleet::node("green-1"));
  for (const std::string& line : fleet.said) CHECK_FALSE(has(line, "hoPhahB4uuQu"));

  SUBCASE("and another content once it has changed") {
    REQUIRE(write_file(fleet.folder + "/secrets/green-1.key", "other", 0600).has_value());
    fleet.done(FakeFleet::up("two"));
    CHECK(green(fleet).files.at("zone-key") == "other");
  }
}

TEST_CASE("nobody is moved to a node whose service does not come up, and its last lines are told") {
  FakeFleet fleet;
  prepare(fleet, {.name = "bird",
                  .state = ServiceState::backing_off,
                  .restarts = 2,
                  .reason = "ended with status 1",
                  .last_lines = {"bird.conf:2:11 syntax error"}});
  const auto refused = fleet.order(FakeFleet::deploy("two"));
  const std::string why =
      refused ? (refused->refusal ? refused->refusal->text : "") : refused.error().message;
  CAPTURE(why);
  CHECK(has(why, "node green-1: service bird: backing off, ended with status 1"));
  CHECK(has(why, "bird.conf:2:11 syntax error"));
  CHECK(fleet.clients.at(FakeFleet::key(1)).session == FakeFleet::node("blue-1"));
}

TEST_CASE("a file that a service asks for and the fleet does not have is named before it boots") {
  FakeFleet fleet;
  prepare(fleet, waiting_for("other-key"));
  const std::string why =
      "service unbound of release two asks for file other-key: name it under `files` of pool green";
  const auto planned = fleet.plan(FakeFleet::deploy("two"));
  REQUIRE_FALSE(planned.has_value());
  CHECK(has(planned.error().message, why));
  const auto ordered = fleet.order(FakeFleet::deploy("two"));
  REQUIRE_FALSE(ordered.has_value());
  CHECK(has(ordered.error().message, why));
  CHECK(green(fleet).boots == 0);
}

TEST_CASE("nobody is moved to a node that does not know of a service of its release") {
  FakeFleet fleet;
  prepare(fleet, waiting_for("zone-key"));
  fleet.image_services.clear();  // as node programs that are older than services have it
  const auto refused = fleet.order(FakeFleet::deploy("two"));
  REQUIRE(refused.has_value());
  REQUIRE(refused->refusal.has_value());
  CAPTURE(refused->refusal->text);
  CHECK(has(refused->refusal->text,
            "node green-1: service unbound is in the image, and the node does not know of it"));
  CHECK(has(refused->refusal->text, "--update weir-init weir-node"));
  CHECK(fleet.clients.at(FakeFleet::key(1)).session == FakeFleet::node("blue-1"));
}

TEST_CASE(
    "a node's file that others may read, or that is missing, is refused before anything boots") {
  FakeFleet fleet;
  prepare(fleet, waiting_for("zone-key"), 0644);
  const auto loose = fleet.plan(FakeFleet::deploy("two"));
  REQUIRE_FALSE(loose.has_value());
  CHECK(has(loose.error().message, "pools: green: files: zone-key: "));
  CHECK(has(loose.error().message, "chmod 600"));
  CHECK_FALSE(has(loose.error().message, "hoPhahB4uuQu"));
  std::filesystem::remove(fleet.folder + "/secrets/green-1.key");
  const auto missing = fleet.order(FakeFleet::deploy("two"));
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == Errc::not_found);
  CHECK(green(fleet).boots == 0);
}

TEST_CASE("status tells which services are up, and of others what they said") {
  FakeFleet fleet;
  prepare(fleet, waiting_for("zone-key"));
  fleet.done(FakeFleet::deploy("two"));
  fleet.nodes.at(FakeFleet::node("green-1"))
      .services.push_back({.name = "bird",
                           .state = ServiceState::backing_off,
                           .restarts = 7,
                           .reason = "ended by signal 11",
                           .last_lines = {"one", "two", "three", "four"}});
  const auto site = fleet.site();
  const auto observed = observe(*site, std::chrono::seconds(5));
  REQUIRE(observed.has_value());
  const StatusReport report = status_of(site->documents(), *observed);
  const std::string text = print_text(report);
  CAPTURE(text);
  CHECK(has(text, "    services up: unbound\n"));
  CHECK(has(text,
            "service bird        backing off, ended by signal 11, started again 7 times\n"
            "      | two\n      | three\n      | four\n"));
  const auto json = nlohmann::json::parse(print_json(report));
  const auto& services = json["pools"][1]["nodes"][0]["services"];
  REQUIRE(services.size() == 2);
  CHECK(services[0]["state"] == "ready");
  CHECK(services[0]["up"] == true);
  CHECK(services[1]["restarts"] == 7);
  CHECK(services[1]["last_lines"].size() == 4);
  CHECK_FALSE(json["pools"][0]["nodes"][0].contains("services"));
}

}  // namespace weir::deployer
