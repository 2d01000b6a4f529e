// Two nodes a pool: clients of one node talk to clients of another, and every movement spreads over
// two.
#include <doctest/doctest.h>

#include <cstdio>

#include "tests/vm/fleet_fixture.h"

namespace weir::test {

TEST_CASE("pools of two nodes each: clients move there, back and there again, and lose nothing") {
  BlueFleet fleet({.nodes = 2}, 4);
  std::vector<std::string> clients = lab::demo_clients();
  for (int i = 1; i <= 4; ++i) clients.push_back("extra-" + std::to_string(i));
  auto session = lab::Session::start(fleet.lab(), clients);
  if (!session) FAIL(session.error().message);
  session->move("deploy", {"deploy", "--release", kGreenRelease}, "green");
  session->move("rollback", {"rollback"}, "blue");
  session->move("deploy again", {"deploy", "--release", kGreenRelease}, "green");
  std::map<std::string, int> used;
  for (const auto& [client, passages] : session->observer().passages()) {
    for (const lab::Passage& passage : passages) ++used[passage.interface];
  }
  const lab::Report report = session->finish();
  std::fputs(("\n" + lab::print_table(report) + "\n").c_str(), stderr);
  for (const std::string& wrong : lab::verdicts(report)) FAIL_CHECK(wrong);
  // With eight clients all four nodes carried some; a pool that used one node would prove nothing.
  CHECK(used.size() == 4);
}

}  // namespace weir::test
