#include "deployer/serve/edge/control_socket.h"
#include "deployer/serve/edge/serve.h"
#include "deployer/serve/edge/watcher.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {

TEST_CASE("a node that was booted again is led the way that rollouts lead those they boot") {
  FakeFleet fleet(5);
  fleet.done(FakeFleet::up("one"));
  const auto site = fleet.site();
  std::atomic<bool> quiet{false};
  Watcher watcher(*site, quiet);
  REQUIRE(watcher.look().has_value());
  auto& node = fleet.nodes.at(FakeFleet::node("blue-1"));
  ++node.boots;
  node.key.reset();
  node.peers.clear();
  node.ahead = std::chrono::seconds(-5);
  REQUIRE(watcher.look().has_value());
  CHECK(node.key == PublicKey::parse(FakeFleet::kKey).value());
  CHECK(node.peers.size() == 5);
  // Its clock was set, not read to be right: an answer takes a moment.
  CHECK(std::chrono::abs(node.ahead) < std::chrono::seconds(4));

  ++node.boots;
  node.key.reset();
  node.peers.clear();
  fleet.director_says = [](std::string_view call) -> Status {
    if (call == "forget") return fail(Errc::io, "no such table");
    return {};
  };
  const Status done = watcher.look();
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().message.find("no such table") != std::string::npos);
}

TEST_CASE("an order through a serving process that is stopped ends when it is interrupted") {
  FakeFleet fleet(1);
  REQUIRE(make_folders(fleet.folder + "/state", 0700).has_value());
  // As the kernel takes connections for a process that is stopped: nobody accepts them.
  const auto listener = ControlListener::open(fleet.folder + "/state/control.sock");
  REQUIRE(listener.has_value());
  const std::atomic<bool> interrupted{true};
  const auto reply = order_from_server(
      fleet.folder + "/fleet.yaml", FakeFleet::deploy("two"), interrupted,
      [](const std::string&) {}, std::chrono::milliseconds(300));
  REQUIRE(reply.has_value());
  REQUIRE(reply->has_value());
  CHECK((*reply)->exit_code == 4);
  CHECK((*reply)->error.find("weir-deployer status") != std::string::npos);
}

}  // namespace weir::deployer
