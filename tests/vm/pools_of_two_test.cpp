// Two nodes a pool: clients of one node talk to clients of another, and every movement spreads over
// two. And a third pool: the two releases before stay warm.
#include <doctest/doctest.h>

#include <cstdio>

#include "tests/vm/fleet_fixture.h"

namespace weir::test {

TEST_CASE("three pools of two nodes each: clients move on and back, and lose nothing") {
  BlueFleet fleet({.nodes = 2, .amber = true}, 4);
  std::vector<std::string> clients = lab::demo_clients();
  for (int i = 1; i <= 4; ++i) clients.push_back("extra-" + std::to_string(i));
  auto session = lab::Session::start(fleet.lab(), clients);
  if (!session) FAIL(session.error().message);
  session->move("deploy", {"deploy", "--release", kGreenRelease}, "green");
  session->move("rollback", {"rollback"}, "blue");
  session->move("deploy again", {"deploy", "--release", kGreenRelease}, "green");
  session->move("deploy to amber", {"deploy", "--release", kBlueRelease, "--to", "amber"}, "amber");
  session->move("rollback to green", {"rollback"}, "green");
  std::map<std::string, int> used;
  for (const auto& [client, passages] : session->observer().passages()) {
    for (const lab::Passage& passage : passages) ++used[passage.interface];
  }
  const lab::Report report = session->finish();
  std::fputs(("\n" + lab::print_table(report) + "\n").c_str(), stderr);
  for (const std::string& wrong : lab::verdicts(report)) FAIL_CHECK(wrong);
  // Keys are drawn afresh, so that once in a hundred runs all clients meet on one node of a pool;
  // that two pools of three use one node each would prove nothing.
  CHECK(used.size() >= 5);
}

}  // namespace weir::test
