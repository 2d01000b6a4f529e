// What whoever looks, plans or orders is told while another process carries out an order.
#include "deployer/site/edge/running_order.h"

#include "deployer/orders/edge/observe.h"
#include "deployer/serve/status_report.h"
#include "manifests/base/edge/process.h"
#include "tests/folders.h"
#include "tests/patience.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;

Ended deployer(const FakeFleet& fleet, std::vector<std::string> words) {
  words.insert(words.end(), {"--fleet", fleet.folder + "/fleet.yaml"});
  auto ended = run({.path = test::build_folder() + "/bin/weir-deployer", .arguments = words}, "",
                   {.time = test::kPatience});
  REQUIRE_MESSAGE(ended.has_value(), ended.error().message);
  return *ended;
}

const std::string kProcess = "process " + std::to_string(::getpid());
const std::string kDeploy = "an order is running (deploy of two, " + kProcess + ")";

}  // namespace

TEST_CASE("who orders or plans while an order runs is told which, whose, and what can be done") {
  FakeFleet fleet(1);
  const std::string state = fleet.folder + "/state";
  REQUIRE(make_folders(state, 0700).has_value());
  auto lock = lock_file(state + "/lock");
  auto order = mark_order(state, "deploy of two");
  REQUIRE((lock.has_value() && order.has_value()));
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"rollback"},
                                             {"down"},
                                             {"up", "--release", "one"},
                                             {"deploy", "--release", "two"},
                                             {"rollback", "--plan"},
                                             {"deploy", "--release", "two", "--plan"}}) {
    CAPTURE(words.front());
    const Ended ended = deployer(fleet, words);
    CHECK(ended.status == 1);
    CHECK(has(ended.error, kDeploy));
    CHECK(has(ended.error, "wait"));
    CHECK(has(ended.error, "Ctrl-C"));
    CHECK(has(ended.error, "weir-deployer status --watch"));
    CHECK_FALSE(has(ended.error, "not finished"));
  }
  CHECK(has(deployer(fleet, {"status"}).output, kDeploy + "\n"));
  order = fail(Errc::not_found, "over");
  const Ended held = deployer(fleet, {"down"});
  CHECK(has(held.error, "held by " + kProcess));
  CHECK(has(held.error, "serves this fleet"));
  CHECK_FALSE(has(deployer(fleet, {"status"}).output, "an order is running"));
}

TEST_CASE("a process that ended, or another one of its number, carries out no order") {
  FakeFleet fleet(1);
  const std::string state = fleet.folder + "/state";
  REQUIRE(make_folders(state, 0700).has_value());
  CHECK_FALSE(running_order(state).has_value());
  {
    const auto order = mark_order(state, "down");
    REQUIRE(order.has_value());
    REQUIRE(running_order(state).has_value());
    CHECK(running_order(state)->what == "down");
  }
  CHECK(std::filesystem::exists(state + "/order"));
  CHECK_FALSE(running_order(state).has_value());
}

TEST_CASE("status of an order under way says so, and not how to finish or undo it") {
  FakeFleet fleet(2);
  const auto status = [&] {
    const auto site = fleet.site();
    const auto seen = observe(*site, std::chrono::seconds(3));
    REQUIRE(seen.has_value());
    return status_of(site->documents(), *seen);
  };
  fleet.done(FakeFleet::up("one"));
  std::optional<StatusReport> meanwhile;
  fleet.on_start = [&](FakeFleet&, const NodeId&) { meanwhile = status(); };
  fleet.done(FakeFleet::deploy("two"));
  REQUIRE(meanwhile);
  CHECK(meanwhile->ordering == kDeploy);
  CHECK(meanwhile->advice == "");
  const std::string text = print_text(*meanwhile);
  CHECK(has(text, kDeploy + "\n"));
  CHECK(has(text, "last rollout: deploy of two from pool blue to pool green, booting\n"));
  CHECK_FALSE(has(text, "not finished"));
  CHECK(has(print_json(*meanwhile), "\"ordering\":\"" + kDeploy + "\""));
  CHECK(status().ordering == "");
}

TEST_CASE("a node that an order boots is not called one that does not answer") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  const auto site = fleet.site();
  auto seen = observe(*site, std::chrono::seconds(3));
  REQUIRE(seen.has_value());
  NodeSeen& green = seen->nodes.at(FakeFleet::node("green-1"));
  green.machine = pool::MachineState::running;
  green.trouble = "Failed to connect";
  CHECK(has(print_text(status_of(site->documents(), *seen)), "no answer: Failed to connect"));
  seen->ordering = "an order is running";
  const std::string text = print_text(status_of(site->documents(), *seen));
  CHECK(has(text, "no answer yet: it boots, or is checked\n"));
  CHECK_FALSE(has(text, "Failed"));
}

}  // namespace weir::deployer
