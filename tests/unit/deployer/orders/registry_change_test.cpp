#include "deployer/orders/registry_change.h"

#include <doctest/doctest.h>

namespace weir::deployer {
namespace {

RegistryChange change(std::size_t known, std::size_t removed) {
  RegistryChange out;
  out.known = known;
  out.named = known - removed;
  for (std::size_t i = 0; i < removed; ++i) {
    std::array<std::uint8_t, 32> raw{};
    raw[0] = static_cast<std::uint8_t>(i);
    raw[1] = static_cast<std::uint8_t>(i >> 8);
    out.removed.insert(PublicKey::from_raw(raw));
  }
  return out;
}

constexpr Permille kTenth{100};

}  // namespace

TEST_CASE("a tenth of the peers may go unasked, and one always") {
  CHECK(judge_removals(change(200, 20), kTenth, {}).has_value());
  CHECK_FALSE(judge_removals(change(200, 21), kTenth, {}).has_value());
  CHECK(judge_removals(change(3, 1), kTenth, {}).has_value());
  CHECK_FALSE(judge_removals(change(3, 2), kTenth, {}).has_value());
  CHECK(judge_removals(change(3, 1), Permille{0}, {}).has_value());
}

TEST_CASE("an empty registry takes nobody unasked") {
  CHECK_FALSE(judge_removals(change(1, 1), kTenth, {}).has_value());
  CHECK(judge_removals(change(0, 0), kTenth, {}).has_value());
}

TEST_CASE("what is said counts, and not the share") {
  CHECK(judge_removals(change(200, 197), kTenth, 197).has_value());
  CHECK_FALSE(judge_removals(change(200, 197), kTenth, 196).has_value());
  CHECK_FALSE(judge_removals(change(200, 1), kTenth, 0).has_value());
}

TEST_CASE("a node that did not say whom it knows has nobody taken from it") {
  const NodeId green = *NodeId::parse("green-1"), blue = *NodeId::parse("blue-1");
  RegistryChange seen = change(200, 3);
  CHECK_FALSE(is_blind(seen, {green}));
  seen.unread = {green};
  CHECK(is_blind(seen, {blue, green}));
  CHECK_FALSE(is_blind(seen, {blue}));
}

}  // namespace weir::deployer
