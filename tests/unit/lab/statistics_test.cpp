#include "tests/lab/statistics.h"

#include <doctest/doctest.h>

#include "manifests/documents/fleet.h"
#include "tests/lab/plan.h"

namespace weir::lab {

TEST_CASE("silence runs from reply to reply, also across the window's edges and lost packets") {
  // Sent every 20, answered 3 later; 60 and 80 lost; one reply overtakes another.
  const std::vector<PingSample> samples = {{0, 3},  {20, 23},   {40, 43},  {60, 0},
                                           {80, 0}, {100, 125}, {120, 123}};
  CHECK(lost({"", "", samples, 0}) == 2);
  CHECK(longest_silence_ns(samples, {0, 200}) == 80);
  CHECK(longest_silence_ns(samples, {50, 60}) == 80);
  CHECK(longest_silence_ns(samples, {0, 30}) == 20);
  CHECK(longest_silence_ns(samples, {124, 200}) == 2);
  CHECK(longest_silence_ns({}, {0, 200}) == 0);
}

TEST_CASE("losses close together are one stretch") {
  constexpr UnixNs kMs = 1'000'000;
  const auto spans = loss_spans(
      {"", "", {{0, 1}, {20 * kMs, 0}, {40 * kMs, 5}, {60 * kMs, 0}, {400 * kMs, 0}}, 0});
  REQUIRE(spans.size() == 2);
  CHECK(spans[0].packets == 2);
  CHECK(spans[0].to == 60 * kMs);
  CHECK(spans[1].from == 400 * kMs);
}

TEST_CASE("the first reply after an instant is found whatever the order of replies") {
  const std::vector<PingSample> samples = {{0, 3}, {20, 0}, {100, 125}, {120, 123}};
  CHECK(first_reply_after(samples, 3) == 123);
  CHECK(first_reply_after(samples, 125) == 0);
}

TEST_CASE("a client has arrived when its data went to the new links and kept to them") {
  const std::vector<Passage> passages = {
      {10, "d1"}, {50, "d2"}, {60, "d1"}, {70, "d2"}, {90, "d3"}};
  CHECK(arrived(passages, {"d2", "d3"}, {40, 100}) == 70);
  CHECK(arrived(passages, {"d2", "d3"}, {40, 65}) == 0);
  CHECK(arrived(passages, {"d1"}, {40, 100}) == 0);
  CHECK(arrived(passages, {"d2", "d3"}, {80, 100}) == 0);  // was there before the order
}

TEST_CASE("the lab's fleet document is one that the deployer takes") {
  const auto plan = plan_lab("demo", 0);
  REQUIRE(plan.has_value());
  const auto fleet = manifests::parse_fleet(fleet_yaml(
      *plan, {"store", "release.pub", "gateway.identity", "gateway.seal", "peers.jsonl", "state"},
      {2, "max_failed: 60%\nbatch: 1", "-5s"}));
  if (!fleet) FAIL(fleet.error().message);
  CHECK(fleet->pools[1].nodes.size() == 2);
  CHECK(fleet->pools[1].clock_offset == std::chrono::seconds(-5));
  CHECK(fleet->policy.max_failed.value == 600);
  CHECK(fleet->policy.batch == 1);
  CHECK(fleet->directors[0].network_namespace == "demo-dir");
  for (const ClientPlan& client : plan->clients) {
    CAPTURE(client.name);
    CHECK(client.interface.size() <= 15);
    if (client.control) continue;
    for (const Prefix& inner : client.inner) {
      CHECK(
          (fleet->clients[0].contains(inner.address) || fleet->clients[1].contains(inner.address)));
    }
  }
  CHECK_FALSE(plan_lab("much-too-long", 0).has_value());
}

}  // namespace weir::lab
