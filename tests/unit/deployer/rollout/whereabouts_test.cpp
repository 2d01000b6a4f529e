#include "deployer/rollout/terms/whereabouts.h"

#include <doctest/doctest.h>

namespace weir::deployer {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

const NodeId kBlue = *NodeId::parse("blue-1");
const NodeId kGreen = *NodeId::parse("green-1");
const Endpoint kClient = *Endpoint::parse("192.0.2.7:4000");
const PublicKey kKey = PublicKey::from_raw({7});

manifests::PeerDump dump(std::int64_t age_s, std::uint64_t rx) {
  return {kKey, kNow, {{kKey, {}, false, kClient, kNow - age_s * kSecond, rx, 0, 0}}};
}

std::optional<director::Observed> observed(const std::optional<NodeId>& ordered,
                                           const std::optional<NodeId>& learned) {
  director::Observed out;
  if (ordered) out.steering.homes.emplace(kClient, *ordered);
  if (learned) out.learned.homes.emplace(kClient, *learned);
  return out;
}

}  // namespace

TEST_CASE("a client that was prepared elsewhere still is where its data goes") {
  const auto found =
      whereabouts({{kBlue, dump(100, 5000)}, {kGreen, dump(1, 92)}}, observed({}, kBlue));
  REQUIRE(found.size() == 1);
  CHECK(found.at(kKey).node == kBlue);
  CHECK(found.at(kKey).age == std::chrono::seconds(100));
}

TEST_CASE("a client whose home was moved but that was never told is where its data goes") {
  const auto found =
      whereabouts({{kBlue, dump(100, 5000)}, {kGreen, dump(1, 92)}}, observed(kGreen, kBlue));
  CHECK(found.at(kKey).node == kBlue);
  CHECK(found.at(kKey).home == kGreen);
}

TEST_CASE("of two sessions that were used, the home's counts, and without a home the newest") {
  CHECK(whereabouts({{kBlue, dump(1, 5000)}, {kGreen, dump(100, 5000)}}, observed(kGreen, kBlue))
            .at(kKey)
            .node == kGreen);
  CHECK(whereabouts({{kBlue, dump(100, 5000)}, {kGreen, dump(1, 5000)}}, observed({}, {}))
            .at(kKey)
            .node == kGreen);
  CHECK(whereabouts({{kBlue, dump(1, 5000)}, {kGreen, dump(100, 5000)}}, {}).at(kKey).node ==
        kBlue);
}

TEST_CASE("sessions older than 180 s, and peers never heard of, are nowhere") {
  CHECK(whereabouts({{kBlue, dump(180, 5000)}}, {}).empty());
  CHECK(whereabouts({{kBlue, {kKey, kNow, {{kKey, {}, false, kClient, 0, 0, 0, 0}}}}}, {}).empty());
}

}  // namespace weir::deployer
