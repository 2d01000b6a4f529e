// What a rollout leaves behind for the next order: its journal, and where clients were.
#include <algorithm>

#include "deployer/orders/edge/orders.h"
#include "deployer/orders/resumption.h"
#include "deployer/rollout/journal.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;
using test::joined;

}  // namespace

TEST_CASE("the journal that an order leaves can be walked to the state in which it ended") {
  FakeFleet fleet(4);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.connect(2, "blue-1");
  fleet.done(FakeFleet::deploy("two"));
  const auto site = fleet.site();
  const auto newest = site->store().newest_movement();
  REQUIRE((newest.has_value() && newest->has_value()));
  auto journal = site->store().journal((*newest)->id);
  REQUIRE(journal.has_value());
  REQUIRE(journal->records.size() > 10);
  const auto whole = resume(*journal);
  if (!whole) FAIL(whole.error().message);
  REQUIRE(whole->has_value());
  CHECK((*whole)->phase == Phase::committed);
  CHECK((*whole)->places.at(FakeFleet::key(1)).node == FakeFleet::node("green-1"));
  // A deployer that was killed leaves a beginning, which can be walked too.
  journal->records.resize(journal->records.size() / 2);
  const auto half = resume(*journal);
  if (!half) FAIL(half.error().message);
  CHECK((*half)->phase != Phase::committed);
  journal->records.back() = journal->records.front() + "x";
  CHECK_FALSE(resume(*journal).has_value());
}

TEST_CASE("a journal that was cut at any byte resumes where it ends, or says that it cannot") {
  FakeFleet fleet(3);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.connect(2, "blue-1");
  fleet.done(FakeFleet::deploy("two"));
  const std::int64_t id = (*fleet.site()->store().newest_movement())->id;
  const auto whole = fleet.site()->store().journal(id);
  REQUIRE(whole.has_value());
  SUBCASE("its records") {
    StoredJournal cut{whole->plan, {}};
    for (const std::string& record : whole->records) {
      const auto here = resume(cut);
      if (!here) FAIL(here.error().message);
      CHECK((*here)->steps == cut.records.size());
      for (std::size_t bytes = 0; bytes < record.size(); ++bytes) {
        const auto part = decode_record(std::string_view(record).substr(0, bytes));
        REQUIRE_FALSE(part.has_value());
      }
      cut.records.push_back(record.substr(0, record.size() / 2));
      const auto refused = resume(cut);
      REQUIRE_FALSE(refused.has_value());
      CHECK(has(refused.error().message, "journal"));
      cut.records.back() = record;
    }
    for (std::size_t bytes = 1; bytes < whole->plan.size(); ++bytes) {
      REQUIRE_FALSE(resume({whole->plan.substr(0, bytes), {}}).has_value());
    }
  }
  SUBCASE("its file") {
    const std::string path = fleet.folder + "/state/fleet.db";
    const auto bytes = read_file(path, ByteCount{16 << 20});
    REQUIRE(bytes.has_value());
    std::filesystem::remove(path + "-wal");
    std::filesystem::remove(path + "-shm");
    for (std::size_t size = 1; size < bytes->size(); size += bytes->size() / 64 + 1) {
      CAPTURE(size);
      REQUIRE(write_file(path, bytes->substr(0, size), 0600).has_value());
      const auto read = [&]() -> Status {
        TRY_ASSIGN(auto store, SqliteStore::open(path, SqliteStore::Access::read));
        TRY_ASSIGN(const auto journal, store.journal(id));
        TRY_ASSIGN(const auto resumed, resume(journal));
        CHECK((!resumed || resumed->steps <= whole->records.size()));
        return {};
      }();
      if (!read)
        CHECK((has(read.error().message, "fleet.db") || has(read.error().message, "journal")));
    }
  }
}

TEST_CASE(
    "a rollback of what was not finished waits for no journal; a deploy says how far it was") {
  FakeFleet fleet(4);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.connect(2, "blue-1");
  // Its end cannot be written down: to the next order it is unfinished.
  fleet.in_state(
      "CREATE TRIGGER full BEFORE UPDATE ON rollouts WHEN NEW.finished = 1 "
      "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END");
  fleet.done(FakeFleet::deploy("two"));
  fleet.in_state("DROP TRIGGER full; UPDATE records SET record = x'00'");
  fleet.said.clear();
  SUBCASE("rollback") {
    fleet.done(RollbackOrder{});
    CHECK(has(joined(fleet.said), "was not finished: it ended while committed"));
    CHECK_FALSE(has(joined(fleet.said), "cannot be walked"));
    CHECK(fleet.clients.at(FakeFleet::key(1)).session == FakeFleet::node("blue-1"));
  }
  SUBCASE("deploy") {
    fleet.done(FakeFleet::deploy("two"));
    CHECK(has(joined(fleet.said), "cannot be walked"));
    CHECK(has(joined(fleet.said), "what nodes and director say"));
  }
  // When it is over, journals before it are gone.
  const auto site = fleet.site();
  const auto rollouts = site->store().rollouts(2);
  REQUIRE(rollouts->size() == 2);
  CHECK_FALSE(site->store().journal((*rollouts)[0].id)->plan.empty());
  CHECK(site->store().journal((*rollouts)[1].id)->plan.empty());
}

TEST_CASE("where clients are is in the state as soon as a rollout finds them, moved or not") {
  FakeFleet fleet(4);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.connect(2, "blue-1");
  REQUIRE(fleet.site()->store().clients()->empty());
  // Nobody answers the new node, then the director is lost: everybody stays under way.
  for (auto& [key, client] : fleet.clients) client.preshared = "another";
  fleet.on_prepare = [](FakeFleet& it, const NodeId&) {
    it.interrupted = true;
    it.installed = false;
  };
  const auto report = fleet.order(FakeFleet::deploy("two"));
  REQUIRE(report.has_value());
  REQUIRE(report->outcome == Outcome::needs_person);
  const auto clients = fleet.site()->store().clients();
  REQUIRE(clients.has_value());
  for (const unsigned n : {1U, 2U}) {
    REQUIRE(clients->contains(FakeFleet::key(n)));
    CHECK(clients->at(FakeFleet::key(n)).node == FakeFleet::node("blue-1"));
    CHECK(clients->at(FakeFleet::key(n)).endpoint == fleet.clients.at(FakeFleet::key(n)).endpoint);
  }
}

}  // namespace weir::deployer
