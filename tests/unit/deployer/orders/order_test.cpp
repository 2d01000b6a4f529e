#include "deployer/orders/order.h"

#include <doctest/doctest.h>

#include <utility>

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

TEST_CASE("an order on the socket says a thing once, and says something") {
  const std::pair<const char*, const char*> lines[] = {
      {R"({"command":"deploy","release":"a","to":""})", "control.to: is empty"},
      {R"({"command":"rollback","to":""})", "control.to: is empty"},
      {R"({"command":"up","release":""})", "control.release: is empty"},
      {R"({"command":"down","release":""})", "control.release: is empty"},
      {R"({"command":""})", "no order ''"},
      {R"({"command":"deploy","release":"a","to":"blue","to":"amber"})",
       "control: the key 'to' appears twice"},
      {R"({"command":"up","command":"down"})", "control: the key 'command' appears twice"},
      {R"({"command":"deploy","release":"a","strict":false,"strict":true})",
       "control: the key 'strict' appears twice"},
      {R"({"command":"rollback","allow_removals":4294967296})",
       "control.allow_removals: is more than 4294967295"},
  };
  for (const auto& [line, why] : lines) {
    const auto& shown = line;
    CAPTURE(shown);
    const auto order = parse_order(line);
    REQUIRE_FALSE(order.has_value());
    CHECK(order.error().code == Errc::invalid_input);
    CHECK(order.error().message == why);
  }
  CHECK(parse_order(R"({"command":"rollback","allow_removals":4294967295})").has_value());
}

}  // namespace weir::deployer
