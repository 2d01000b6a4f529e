#include "deployer/serve/edge/control_socket.h"
#include "deployer/serve/edge/serve.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {

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
