#include "deployer/rollout/nodelife/clocks.h"

#include <doctest/doctest.h>

namespace weir::deployer {
namespace {

using namespace std::chrono_literals;

NodeId node(const char* name) {
  return *NodeId::parse(name);
}

}  // namespace

TEST_CASE("slow clocks follow the fastest, and none runs backwards") {
  const auto set = slow_clocks({{node("a"), -250ms}, {node("b"), 100ms}, {node("c"), 95ms}});
  REQUIRE(set.size() == 1);
  CHECK(set.at(node("a")) == 100ms);
  CHECK(slow_clocks({{node("a"), -5ms}, {node("b"), 5ms}}).empty());
  CHECK(slow_clocks({}).empty());
}

TEST_CASE("a clock that is far ahead is followed by nobody") {
  const auto set = slow_clocks({{node("a"), -1h}, {node("b"), 1h}});
  REQUIRE(set.size() == 1);
  CHECK(set.at(node("a")) == 0ms);
}

}  // namespace weir::deployer
