#include "deployer/state/sqlite/edge/sqlite_store.h"

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "manifests/base/edge/file.h"

namespace weir::deployer {
namespace {

struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path = (std::filesystem::temp_directory_path() / "weir-state-XXXXXX").string();
  [[nodiscard]] std::string file() const { return path + "/fleet.db"; }
};

PoolName pool(const char* name) {
  return *PoolName::parse(name);
}

StoredRollout a_rollout() {
  return {0,          Kind::deploy, "new", pool("blue"), pool("green"), Phase::planned,
          1700000000, false,        {}};
}

}  // namespace

TEST_CASE("a machine's folder is the one beside the file, whatever was written into it") {
  const Folder original, copy;
  const NodeId node = *NodeId::parse("blue-1");
  {
    auto store = SqliteStore::open(original.file());
    REQUIRE(store.has_value());
    REQUIRE(
        store->put_machine({{node, 4711, 99, "./state/nodes/blue-1"}, Digest::of(as_bytes("x"))})
            .has_value());
  }
  std::filesystem::copy_file(original.file(), copy.file());
  const auto folder_of = [&](const std::string& file) {
    auto store = SqliteStore::open(file, SqliteStore::Access::read);
    REQUIRE(store.has_value());
    const auto machines = store->machines();
    REQUIRE(machines.has_value());
    CHECK(machines->at(node).record.pid == 4711);
    return machines->at(node).record.folder;
  };
  const auto beside = [&](const Folder& folder) {
    return std::filesystem::canonical(folder.path).string() + "/nodes/blue-1";
  };
  CHECK(folder_of(original.file()) == beside(original));
  CHECK(folder_of(copy.file()) == beside(copy));
  CHECK(folder_of(std::filesystem::relative(original.file()).string()) == beside(original));
  std::filesystem::create_directory_symlink(original.path, copy.path + "/link");
  CHECK(folder_of(copy.path + "/link/fleet.db") == beside(original));
}

TEST_CASE("what was stored is there after the file is opened again") {
  const Folder folder;
  const NodeId node = *NodeId::parse("blue-1");
  const Digest digest = Digest::of(as_bytes("x"));
  std::array<std::uint8_t, 32> raw{};
  const PublicKey key = PublicKey::from_raw(raw);
  std::int64_t id = 0;
  {
    auto store = SqliteStore::open(folder.file());
    REQUIRE(store.has_value());
    CHECK_FALSE(store->active_pool()->has_value());
    REQUIRE(store->put_machine({{node, 4711, 99, "/x"}, digest}).has_value());
    REQUIRE(store->put_pool(pool("blue"), {*ReleaseName::parse("r"), digest, {node}}).has_value());
    REQUIRE(store->set_active_pool(pool("blue")).has_value());
    CHECK_FALSE(store->steered_namespace()->has_value());
    REQUIRE(store->set_steered_namespace("").has_value());
    id = *store->begin_rollout(a_rollout());
    REQUIRE(store
                ->append({id,
                          5,
                          Phase::preparing,
                          {"because"},
                          {"kick"},
                          {{key, *Endpoint::parse("192.0.2.1:5"), node}}})
                .has_value());
  }
  auto store = SqliteStore::open(folder.file());
  REQUIRE(store.has_value());
  CHECK(store->machines()->at(node).record.pid == 4711);
  CHECK(store->machines()->at(node).server_pin == digest);
  CHECK(store->pools()->at(pool("blue")).release_digest == digest);
  CHECK(store->pools()->at(pool("blue")).nodes == std::vector<NodeId>{node});
  CHECK(**store->active_pool() == pool("blue"));
  CHECK(store->steered_namespace()->value().empty());
  CHECK(store->clients()->at(key).node == node);
  auto rollouts = *store->rollouts(5);
  REQUIRE(rollouts.size() == 1);
  CHECK(rollouts[0].phase == Phase::preparing);
  CHECK_FALSE(rollouts[0].finished);
  const std::int64_t next = *store->begin_rollout(a_rollout());
  REQUIRE(store->finish_rollout(next, Phase::committed, "done").has_value());
  rollouts = *store->rollouts(5);
  CHECK(rollouts[0].id == next);
  CHECK(rollouts[0].outcome == "done");
  CHECK_MESSAGE(rollouts[1].finished, "a rollout left open is finished by the one after it");
  REQUIRE(store->forget_machine(node).has_value());
  REQUIRE(store->set_active_pool({}).has_value());
  REQUIRE(store->set_steered_namespace({}).has_value());
  CHECK_FALSE(store->steered_namespace()->has_value());
  CHECK(store->machines()->empty());
  CHECK_FALSE(store->active_pool()->has_value());
}

TEST_CASE("only the owner may read it") {
  const Folder folder;
  const auto store = SqliteStore::open(folder.file());
  REQUIRE(store.has_value());
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) {
    CAPTURE(entry.path());
    struct stat info {};
    REQUIRE(::stat(entry.path().c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
  }
}

TEST_CASE("a process that dies right after an entry leaves it behind") {
  const Folder folder;
  std::int64_t id = 0;
  {
    auto store = SqliteStore::open(folder.file());
    REQUIRE(store.has_value());
    id = *store->begin_rollout(a_rollout());
  }
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto store = SqliteStore::open(folder.file());
    if (!store || !store->append({id, 5, Phase::committing, {}, {}, {}})) ::_exit(1);
    ::_exit(0);  // without closing the file
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WEXITSTATUS(status) == 0);
  auto store = SqliteStore::open(folder.file());
  REQUIRE(store.has_value());
  CHECK((*store->rollouts(1))[0].phase == Phase::committing);
}

TEST_CASE("other processes come and go while this one has it open several times") {
  const Folder folder;
  std::array<int, 2> start{};
  REQUIRE(::pipe(start.data()) == 0);
  // Forked first: SQLite must not be carried over.
  const pid_t other = ::fork();
  REQUIRE(other >= 0);
  if (other == 0) {
    char go = 0;
    bool read = ::read(start[0], &go, 1) == 1;
    {
      auto store = SqliteStore::open(folder.file());
      read = read && store && store->active_pool().has_value();
    }
    ::_exit(read ? 0 : 1);
  }
  auto first = SqliteStore::open(folder.file());
  REQUIRE(first.has_value());
  REQUIRE(first->set_active_pool(pool("blue")).has_value());
  { REQUIRE(SqliteStore::open(folder.file()).has_value()); }
  // The last one out ends the journal: it must see that we are still here.
  REQUIRE(::write(start[1], "g", 1) == 1);
  int status = 0;
  REQUIRE(::waitpid(other, &status, 0) == other);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(std::filesystem::exists(folder.file() + "-wal"));
  CHECK(first->set_active_pool(pool("green")).has_value());
  auto again = SqliteStore::open(folder.file());
  REQUIRE(again.has_value());
  CHECK(*again->active_pool() == pool("green"));
}

TEST_CASE("a file of a former format is read, and written in as the present one") {
  const char* former = "";
  SUBCASE("format 1") {
    former =
        "DROP TABLE plans; DROP TABLE records; DROP TABLE steered; DROP TABLE pool_nodes; PRAGMA "
        "user_version=1";
  }
  SUBCASE("format 2") {
    former = "DROP TABLE steered; DROP TABLE pool_nodes; PRAGMA user_version=2";
  }
  const Folder folder;
  {
    auto store = SqliteStore::open(folder.file());
    REQUIRE(store.has_value());
    REQUIRE(store->set_active_pool(pool("blue")).has_value());
  }
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, former, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  {
    auto looked = SqliteStore::open(folder.file(), SqliteStore::Access::read);
    REQUIRE(looked.has_value());
    CHECK(**looked->active_pool() == pool("blue"));
    const auto journal = looked->journal(1);
    REQUIRE(journal.has_value());
    CHECK(journal->plan.empty());
    const auto steered = looked->steered_namespace();
    REQUIRE(steered.has_value());
    CHECK_FALSE(steered->has_value());
  }
  auto store = SqliteStore::open(folder.file());
  REQUIRE(store.has_value());
  CHECK(**store->active_pool() == pool("blue"));
  const auto id = store->begin_rollout(a_rollout());
  REQUIRE(id.has_value());
  CHECK(store->append({*id, 5, Phase::committing, {}, {}, {}, {"record"}}).has_value());
  CHECK(store->journal(*id)->records == std::vector<std::string>{"record"});
  CHECK(store->set_steered_namespace("weir").has_value());
  CHECK(store->steered_namespace()->value() == "weir");
}

TEST_CASE("who only looks makes no file") {
  const Folder folder;
  const auto looked = SqliteStore::open(folder.file(), SqliteStore::Access::read);
  REQUIRE_FALSE(looked.has_value());
  CHECK(looked.error().code == Errc::not_found);
  CHECK_FALSE(std::filesystem::exists(folder.file()));
  { REQUIRE(SqliteStore::open(folder.file()).has_value()); }
  auto reader = SqliteStore::open(folder.file(), SqliteStore::Access::read);
  REQUIRE(reader.has_value());
  CHECK_FALSE(reader->set_active_pool(pool("blue")).has_value());
}

TEST_CASE("what is no state is refused with what to do, whoever opens it") {
  const Folder folder;
  const auto refused = [&](const std::string& says) {
    for (const auto access : {SqliteStore::Access::read, SqliteStore::Access::write}) {
      const auto store = SqliteStore::open(folder.file(), access);
      REQUIRE_FALSE(store.has_value());
      CHECK_MESSAGE(store.error().message ==
                        folder.file() + ": " + says +
                            ": move it away and bring the fleet's own back; without that one "
                            "`weir-deployer up` begins anew",
                    store.error().message);
    }
  };
  REQUIRE(::mkfifo(folder.file().c_str(), 0600) == 0);
  refused("is no file");
  REQUIRE(::unlink(folder.file().c_str()) == 0);
  REQUIRE(write_file(folder.file(), std::string(4096, 'x')).has_value());
  refused("file is not a database");  // SQLite's own words (sqlite3ErrStr)
}

TEST_CASE("a file of another format is refused") {
  const Folder folder;
  {
    const auto store = SqliteStore::open(folder.file());
    REQUIRE(store.has_value());
  }
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, "PRAGMA user_version=99", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  const auto store = SqliteStore::open(folder.file());
  REQUIRE_FALSE(store.has_value());
  CHECK(store.error().code == Errc::integrity);
  CHECK(store.error().message.find("99") != std::string::npos);
}

}  // namespace weir::deployer
