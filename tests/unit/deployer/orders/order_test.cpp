#include "deployer/orders/order.h"

#include <doctest/doctest.h>

namespace weir::deployer {
namespace {

const ReleaseName kRelease = *ReleaseName::parse("gateway-6.12");

}  // namespace

TEST_CASE("every order survives the wire") {
  for (const Order& order :
       {Order(UpOrder{kRelease, {}}), Order(UpOrder{kRelease, 7}),
        Order(DeployOrder{kRelease, {}, true, {}}), Order(DeployOrder{kRelease, {}, false, 0}),
        Order(DeployOrder{kRelease, PoolName::parse("amber").value(), false, {}}),
        Order(RollbackOrder{}), Order(RollbackOrder{3}), Order(DownOrder{})}) {
    CAPTURE(print(order));
    const auto again = parse_order(print(order));
    REQUIRE(again.has_value());
    CHECK(*again == order);
  }
  // The form that docs/deployer.md gives.
  CHECK(print(Order(DeployOrder{kRelease, PoolName::parse("amber").value(), true, {}})) ==
        R"({"command":"deploy","release":"gateway-6.12","to":"amber","strict":true})");
}

TEST_CASE("what is no order is refused, on the socket as on the command line") {
  for (const char* bad :
       {"", "[]", "{", "{}", R"({"command":1})", R"({"command":"up"})",
        R"({"command":"up","release":"a","x":1})",
        R"({"command":"up","release":"a","strict":true})",
        R"({"command":"up","release":"a","to":"green"})", R"({"command":"rollback","to":"green"})",
        R"({"command":"deploy","release":"a","to":1})",
        R"({"command":"deploy","release":"a","to":"Green"})",
        R"({"command":"deploy","release":"a","strict":"yes"})", R"({"command":"status"})",
        R"({"command":"down","release":"a"})", R"({"command":"rollback","allow_removals":-1})",
        R"({"command":"down","allow_removals":1})", R"({"command":"up","release":"../a"})"}) {
    CAPTURE(bad);
    const auto order = parse_order(bad);
    REQUIRE_FALSE(order.has_value());
    CHECK(order.error().code == Errc::invalid_input);
  }
  CHECK(make_order({"deploy", "", "", false, {}}).error().message == "deploy needs --release NAME");
}

}  // namespace weir::deployer
