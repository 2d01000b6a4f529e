#include "deployer/node/service_states.h"

#include <doctest/doctest.h>

#include <map>

namespace weir::node {
namespace {

using manifests::ReadyBy;
using manifests::Restart;
using manifests::ServiceSettings;
using manifests::ServiceState;
using std::chrono::milliseconds;

constexpr ProcessEnd kStatus0{0, false}, kStatus1{1, false}, kKilled{9, true}, kCrashed{11, true};

ServiceSettings service(const std::string& name, ReadyBy by = ReadyBy::tcp) {
  ServiceSettings out{.name = name, .command = {"/usr/sbin/" + name}};
  out.ready.by = by;
  out.ready.text = "up";
  out.ready.within = milliseconds(10000);
  return out;
}

// The world of the states: processes are numbers, and time is told.
struct World {
  ServiceStates states;
  milliseconds now{0};
  std::map<std::size_t, int> started, probes;
  std::map<std::size_t, std::vector<Farewell>> signals;
  pid_t last = 100;

  explicit World(std::vector<ServiceSettings> settings) : states(std::move(settings)) {}

  void act() {
    for (const ServiceAction& action : states.due(now)) {
      if (const auto* it = std::get_if<StartService>(&action)) {
        ++started[it->service];
        states.started(it->service, ++last, now);
      }
      if (const auto* it = std::get_if<ProbeService>(&action)) ++probes[it->service];
      if (const auto* it = std::get_if<EndService>(&action)) {
        signals[it->service].push_back(it->how);
      }
    }
  }
  void pass(milliseconds time) {
    now += time;
    act();
  }
  [[nodiscard]] const manifests::ServiceRecord& at(std::size_t i) const {
    return states.records()[i];
  }
};

}  // namespace

TEST_CASE("services wait for the network, for their files, and for those that come first") {
  World world({service("second"), service("first")});
  ServiceSettings second = service("second");
  second.after = {"first"};
  second.files = {{"key", 0, 0, 0400}};
  world.states = ServiceStates({second, service("first")});
  world.act();
  CHECK(world.at(0).waits_for == "the network");
  CHECK(world.started.empty());
  world.states.files_seen(0, {"key", ""}, world.now);
  world.states.network_is_up(world.now);
  world.act();
  CHECK(world.at(0).waits_for == "file key");
  CHECK(world.at(1).state == ServiceState::starting);
  world.states.files_seen(0, {"", "1"}, world.now);
  world.act();
  CHECK(world.at(0).waits_for == "service first");
  CHECK(world.probes[1] == 1);
  world.states.probed(1, true, world.now);
  CHECK(world.at(1).state == ServiceState::ready);
  world.act();
  CHECK(world.at(0).state == ServiceState::starting);
  CHECK(world.started[0] == 1);
}

TEST_CASE("one that is not ready in time is asked to end, then made to, and started again later") {
  World world({service("a")});
  world.states.network_is_up(world.now);
  world.act();
  world.states.probed(0, false, world.now, "connection refused");
  world.pass(milliseconds(9999));
  CHECK(world.signals.empty());
  world.pass(milliseconds(1));
  CHECK(world.signals[0] == std::vector<Farewell>{Farewell::ask});
  CHECK(world.at(0).state == ServiceState::stopping);
  world.pass(milliseconds(5000));
  CHECK(world.signals[0] == std::vector<Farewell>{Farewell::ask, Farewell::end});
  world.pass(milliseconds(5000));
  CHECK(world.signals[0].size() == 2);
  world.states.ended(0, kKilled, world.now);
  CHECK(world.at(0).state == ServiceState::backing_off);
  CHECK(world.at(0).reason == "not ready within 10 s: connection refused");
  const auto due = world.states.next_due();
  REQUIRE(due.has_value());
  CHECK(*due > world.now);
  world.pass(*due - world.now);
  CHECK(world.started[0] == 2);
  CHECK(world.at(0).restarts == 1);
}

TEST_CASE("what an end means is what `restart` says") {
  const struct {
    Restart restart;
    ProcessEnd end;
    ServiceState then;
  } cases[] = {{Restart::always, kStatus0, ServiceState::backing_off},
               {Restart::always, kStatus1, ServiceState::backing_off},
               {Restart::on_failure, kStatus0, ServiceState::ended},
               {Restart::on_failure, kStatus1, ServiceState::backing_off},
               {Restart::on_failure, kCrashed, ServiceState::backing_off},
               {Restart::never, kStatus0, ServiceState::ended},
               {Restart::never, kStatus1, ServiceState::failed}};
  for (const auto& one : cases) {
    ServiceSettings settings = service("a");
    settings.restart = one.restart;
    World world({settings});
    world.states.network_is_up(world.now);
    world.act();
    world.states.ended(0, one.end, world.now);
    CAPTURE(one.end.number);
    CHECK(world.at(0).state == one.then);
    CHECK(world.at(0).pid == 0);
  }
}

TEST_CASE("who always ends is started ever later, at most five seconds later") {
  World world({service("a")});
  world.states.network_is_up(world.now);
  world.act();
  milliseconds before{0};
  for (int i = 0; i < 20; ++i) {
    world.states.ended(0, kStatus1, world.now);
    const auto due = world.states.next_due();
    REQUIRE(due.has_value());
    const auto wait = *due - world.now;
    CHECK(wait >= before);
    CHECK(wait <= milliseconds(5000));
    before = wait;
    world.pass(wait);
    REQUIRE(world.at(0).state == ServiceState::starting);
  }
  CHECK(before == milliseconds(5000));
  CHECK(world.at(0).restarts == 20);
}

TEST_CASE("ready by running: after a second, and not where it ends before") {
  World world({service("a", ReadyBy::started)});
  world.states.network_is_up(world.now);
  world.act();
  world.pass(milliseconds(999));
  CHECK(world.at(0).state == ServiceState::starting);
  world.pass(milliseconds(1));
  CHECK(world.at(0).state == ServiceState::ready);
}

TEST_CASE("ready by what it says, and its last lines are kept, harmless, and not all") {
  World world({service("a", ReadyBy::log)});
  world.states.network_is_up(world.now);
  world.act();
  world.states.said(0, "starting\x1b[2J \xff \xc2\x9b \xe2\x80\xae tab\there", world.now);
  CHECK(world.at(0).last_lines.back() == "starting?[2J ? ?? ??? tab here");
  CHECK(world.at(0).state == ServiceState::starting);
  world.states.said(0, "a is up now \xc3\xa9", world.now);
  CHECK(world.at(0).last_lines.back() == "a is up now \xc3\xa9");
  CHECK(world.at(0).state == ServiceState::ready);
  for (int i = 0; i < 1000; ++i) world.states.said(0, std::string(10000, 'x'), world.now);
  CHECK(world.at(0).last_lines.size() == manifests::kLinesKept);
  CHECK(world.at(0).last_lines.back().size() == manifests::kLongestLine);
}

TEST_CASE("a file that was replaced restarts its service, without waiting") {
  ServiceSettings settings = service("a");
  settings.files = {{"key", 0, 0, 0400}};
  World world({settings});
  world.states.network_is_up(world.now);
  world.states.files_seen(0, {"", "1"}, world.now);
  world.act();
  world.states.probed(0, true, world.now);
  world.states.files_seen(0, {"", "1"}, world.now);
  world.act();
  CHECK(world.signals.empty());
  world.states.files_seen(0, {"", "2"}, world.now);
  world.act();
  CHECK(world.signals[0] == std::vector<Farewell>{Farewell::ask});
  world.states.ended(0, kStatus0, world.now);
  CHECK(world.at(0).reason == "a file of the node's was replaced");
  world.act();
  CHECK(world.started[0] == 2);
  world.act();
  CHECK(world.signals[0].size() == 1);
}

TEST_CASE("at a halt all that runs is asked to end, and nothing is started any more") {
  World world({service("a"), service("b"), service("c")});
  world.states.network_is_up(world.now);
  world.act();
  world.states.ended(1, kStatus1, world.now);
  world.states.halt(world.now);
  world.act();
  CHECK(world.signals[0] == std::vector<Farewell>{Farewell::ask});
  CHECK(world.signals[2] == std::vector<Farewell>{Farewell::ask});
  world.states.ended(0, kStatus0, world.now);
  world.pass(milliseconds(60000));
  CHECK(world.signals[2] == std::vector<Farewell>{Farewell::ask, Farewell::end});
  CHECK(world.started[0] == 1);
  CHECK(world.started[1] == 1);
}

}  // namespace weir::node
