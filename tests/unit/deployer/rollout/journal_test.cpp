#include "deployer/rollout/journal.h"

#include <doctest/doctest.h>

#include "tests/unit/deployer/rollout/fake_world.h"

namespace weir::deployer {
namespace {

/// By hand from docs/journal.md.
std::string record_bytes(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out += static_cast<char>(byte);
  return out;
}

}  // namespace

TEST_CASE("a record's bytes are those that docs/journal.md gives") {
  // At 150 ms: the answer to command 3, done; command 300 reads the peers of "a".
  JournalRecord record{Instant{150}, {3, Done{}}, {}};
  record.commands.push_back({300, ReadPeers{*NodeId::parse("a")}});
  CHECK(encode(record) == record_bytes({'r', 1, 0xac, 0x02, 3, 0, 1, 0xac, 0x02, 11, 1, 'a'}));
  const auto back = decode_record(encode(record));
  REQUIRE(back);
  CHECK(back->now == Instant{150});
  CHECK(back->event.echo == 3);
  CHECK(back->commands == record.commands);
}

TEST_CASE("bytes that no writer writes are refused") {
  // A number with a needless byte, a value that is missing, one too many, an unknown event.
  CHECK_FALSE(decode_record(record_bytes({'r', 1, 0xac, 0x82, 0, 3, 0, 0})));
  CHECK_FALSE(decode_record(record_bytes({'r', 1, 2, 3, 0})));
  CHECK_FALSE(decode_record(record_bytes({'r', 1, 2, 3, 0, 0, 0})));
  CHECK_FALSE(decode_record(record_bytes({'r', 1, 2, 3, 99, 0})));
  CHECK_FALSE(decode_record(record_bytes({'r', 1, 2, 3, 0, 0xff, 0xff, 0xff, 0x7f})));
  CHECK(decode_record(record_bytes({'r', 1, 2, 3, 0, 0})));
  CHECK_FALSE(decode_plan(record_bytes({'r', 1, 2, 3, 0, 0})));
  CHECK_FALSE(decode_record(""));
}

TEST_CASE("another format is named as such") {
  const auto refused = decode_record(record_bytes({'r', 2, 2, 3, 0, 0}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::integrity);
  CHECK(refused.error().message.find("format 2") != std::string::npos);
}

TEST_CASE("a plan comes back whole") {
  FakeWorld world(2, 5);
  Plan plan = world.deploy_plan(Permille{25});
  plan.probe_source = IpAddress::v4({10, 0, 0, 250});
  plan.wrong_clocks = {world.green[0]};
  const auto back = decode_plan(encode(plan));
  REQUIRE(back);
  CHECK(encode(*back) == encode(plan));
  CHECK(back->peers == plan.peers);
  CHECK(back->known == plan.known);
  CHECK(back->policy.max_failed == Permille{25});
  CHECK(back->from_pool == plan.from_pool);
  CHECK(back->release == plan.release);
  CHECK(back->wrong_clocks == plan.wrong_clocks);
}

TEST_CASE("a journal in which a command was changed does not replay") {
  FakeWorld world(1, 3);
  const Plan plan = world.deploy_plan();
  std::vector<JournalRecord> journal;
  world.journal = &journal;
  const State state = world.run(plan, start(plan));
  REQUIRE(state.rollout.outcome == Outcome::done);
  REQUIRE(replay(plan, journal));
  const auto moved = std::find_if(journal.begin(), journal.end(), [](const JournalRecord& it) {
    return !it.commands.empty() && std::holds_alternative<Commit>(it.commands.front().command);
  });
  REQUIRE(moved != journal.end());
  std::get<Commit>(moved->commands.front().command).peers.pop_back();
  const auto refused = replay(plan, journal);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::integrity);
  CHECK(refused.error().message.find(std::to_string(moved - journal.begin())) != std::string::npos);
}

}  // namespace weir::deployer
