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

}  // namespace weir::deployer
