#include "deployer/orders/observed.h"

#include <doctest/doctest.h>

namespace weir::deployer {
namespace {

using director::Maker;

const NodeId kNode = *NodeId::parse("blue-1");
const PoolName kPool = *PoolName::parse("blue");

StoredRollout rollout(bool finished) {
  return {1, Kind::up, "one", kPool, kPool, Phase::booting, 1, finished, {}};
}

/// One trace each of a fleet that is up, or was left halfway.
std::vector<Past> traces() {
  const Digest digest = Digest::of(as_bytes("one"));
  return {{.machines = {{kNode, {{kNode, 4711, 1, "place"}, digest}}}},
          {.pools = {{kPool, {*ReleaseName::parse("one"), digest}}}},
          {.active = kPool},
          {.rollouts = {rollout(false)}},
          {.rollouts = {rollout(false), rollout(true)}}};
}

/// Never up, or taken down in order since.
std::vector<Past> nothing() {
  return {{}, {.rollouts = {rollout(true)}}, {.rollouts = {rollout(true), rollout(false)}}};
}

}  // namespace

TEST_CASE("steering without a mark is a fleet's own where anything says that it is up or halfway") {
  for (const Past& past : traces()) CHECK(is_own_steering(Maker::unknown, past));
  for (const Past& past : nothing()) CHECK_FALSE(is_own_steering(Maker::unknown, past));
}

TEST_CASE("whatever the state remembers, a mark says whose steering it is") {
  for (const auto& pasts : {traces(), nothing()}) {
    for (const Past& past : pasts) {
      CHECK(is_own_steering(Maker::us, past));
      CHECK_FALSE(is_own_steering(Maker::other, past));
    }
  }
}

}  // namespace weir::deployer
