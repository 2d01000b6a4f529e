#include "deployer/state/sqlite/edge/sqlite_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "manifests/base/edge/file.h"

namespace weir::deployer {
namespace {

constexpr int kFormat = 2;

// What format 2 has and format 1 had not.
constexpr const char* kJournal = R"sql(
CREATE TABLE plans (rollout INTEGER PRIMARY KEY REFERENCES rollouts(id), plan BLOB NOT NULL) STRICT;
CREATE TABLE records (id INTEGER PRIMARY KEY, rollout INTEGER NOT NULL REFERENCES rollouts(id),
  record BLOB NOT NULL) STRICT;
)sql";

constexpr const char* kSchema = R"sql(
CREATE TABLE machines (node TEXT PRIMARY KEY, pid INTEGER NOT NULL, start_ticks INTEGER NOT NULL,
  folder TEXT NOT NULL, server_pin TEXT NOT NULL) STRICT;
CREATE TABLE pools (pool TEXT PRIMARY KEY, release TEXT NOT NULL, release_digest TEXT NOT NULL) STRICT;
CREATE TABLE active (one INTEGER PRIMARY KEY CHECK (one = 1), pool TEXT NOT NULL) STRICT;
CREATE TABLE rollouts (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, release TEXT NOT NULL,
  from_pool TEXT NOT NULL, to_pool TEXT NOT NULL, phase TEXT NOT NULL, started INTEGER NOT NULL,
  finished INTEGER NOT NULL, outcome TEXT NOT NULL) STRICT;
CREATE TABLE journal (id INTEGER PRIMARY KEY, rollout INTEGER NOT NULL REFERENCES rollouts(id),
  at_ms INTEGER NOT NULL, phase TEXT NOT NULL, reasons TEXT NOT NULL, commands TEXT NOT NULL) STRICT;
CREATE TABLE clients (public_key TEXT PRIMARY KEY, endpoint TEXT NOT NULL, node TEXT NOT NULL) STRICT;
)sql";

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "\n") + line;
  return out;
}

}  // namespace

struct SqliteStore::State {
  sqlite3* db = nullptr;
  std::string path;
  std::recursive_mutex one_at_a_time;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { sqlite3_close_v2(db); }

  [[nodiscard]] tl::unexpected<Error> failed() const {
    return fail(sqlite3_errcode(db) == SQLITE_BUSY ? Errc::busy : Errc::io,
                path + ": " + sqlite3_errmsg(db));
  }
  Status run(const char* sql) const {
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failed();
    return {};
  }
  /// Ends a transaction as what was written in it ended.
  Status finish(Status written) const {
    if (written) return run("COMMIT");
    (void)run("ROLLBACK");
    return written;
  }
};

namespace {

/// A prepared statement; text and numbers are bound in order.
class Query {
 public:
  Query(sqlite3* db, const char* sql) : db_(db) {
    if (sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr) != SQLITE_OK) statement_ = nullptr;
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query() { sqlite3_finalize(statement_); }

  Query& bind(std::string_view text) {
    sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
    return *this;
  }
  Query& bind_bytes(std::string_view bytes) {
    sqlite3_bind_blob64(statement_, ++bound_, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
    return *this;
  }
  [[nodiscard]] std::string bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
  }
  Query& bind(std::int64_t number) {
    sqlite3_bind_int64(statement_, ++bound_, number);
    return *this;
  }
  /// True: a row is there. errors: io
  Result<bool> next(const std::string& path) {
    const int code = statement_ == nullptr ? SQLITE_ERROR : sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return fail(Errc::io, path + ": " + sqlite3_errmsg(db_));
  }
  void again() {
    sqlite3_reset(statement_);
    bound_ = 0;
  }
  [[nodiscard]] std::string text(int column) const {
    const unsigned char* bytes = sqlite3_column_text(statement_, column);
    return bytes == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(bytes));
  }
  [[nodiscard]] std::int64_t number(int column) const {
    return sqlite3_column_int64(statement_, column);
  }

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

Status write_clients(sqlite3* db, const std::string& path,
                     const std::vector<StoredClient>& clients) {
  Query query(db, "INSERT OR REPLACE INTO clients VALUES (?, ?, ?)");
  for (const StoredClient& it : clients) {
    query.bind(it.key.string()).bind(it.endpoint.string()).bind(it.node.string());
    TRY(query.next(path));
    query.again();
  }
  return {};
}

/// The newest first, of those for which `condition`, a piece of SQL, holds.
Result<std::vector<StoredRollout>> read_rollouts(sqlite3* db, const std::string& path,
                                                 const std::string& condition, std::size_t limit) {
  std::vector<StoredRollout> out;
  const std::string sql =
      "SELECT id, kind, release, from_pool, to_pool, phase, started, finished, outcome "
      "FROM rollouts WHERE " +
      condition + " ORDER BY id DESC LIMIT ?";
  Query query(db, sql.c_str());
  query.bind(static_cast<std::int64_t>(limit));
  for (;;) {
    TRY_ASSIGN(const bool row, query.next(path));
    if (!row) return out;
    TRY_ASSIGN_IN(auto from, PoolName::parse(query.text(3)), path);
    TRY_ASSIGN_IN(auto to, PoolName::parse(query.text(4)), path);
    out.push_back({query.number(0), parse_kind(query.text(1)).value_or(Kind::deploy), query.text(2),
                   from, to, parse_phase(query.text(5)).value_or(Phase::planned), query.number(6),
                   query.number(7) != 0, query.text(8)});
  }
}

}  // namespace

SqliteStore::SqliteStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteStore::SqliteStore(SqliteStore&&) noexcept = default;
SqliteStore& SqliteStore::operator=(SqliteStore&&) noexcept = default;
SqliteStore::~SqliteStore() = default;

Result<SqliteStore> SqliteStore::open(const std::string& path, Access access) {
  const bool writes = access == Access::write;
  if (writes) {
    // SQLite would make it with the umask's mode; its journal files inherit the mode of this one.
    // One that is there must not be opened: closing it would drop the locks that SQLite holds for
    // this process's other connections (fcntl_locking(2)), and another process could then end the
    // journal that they still write.
    const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid() && errno != EEXIST) return fail_errno(Errc::io, errno, path);
  } else if (::access(path.c_str(), F_OK) != 0) {
    return fail_errno(errno == ENOENT ? Errc::not_found : Errc::io, errno, path);
  }
  auto state = std::make_unique<State>();
  state->path = path;
  // A reader of a write-ahead log opens it for writing too (its index is shared memory), and may
  // not write: `query_only`.
  if (sqlite3_open_v2(path.c_str(), &state->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                      nullptr) != SQLITE_OK) {
    return state->failed();
  }
  sqlite3_db_config(state->db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_busy_timeout(state->db, 2000);
  TRY(state->run(writes
                     ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                       "PRAGMA secure_delete=ON;"
                     : "PRAGMA query_only=ON;"));
  std::int64_t format = 0;
  {
    Query query(state->db, "PRAGMA user_version");
    TRY_ASSIGN(const bool row, query.next(path));
    format = row ? query.number(0) : 0;
  }
  if (format == 0 && !writes) {
    return fail(Errc::not_found, path + ": nothing was written to it yet");
  }
  if (format > kFormat) {
    return fail(Errc::integrity, path + ": format " + std::to_string(format) +
                                     " is not known to this version, which writes format " +
                                     std::to_string(kFormat));
  }
  if (format != kFormat && writes) {
    const std::string sql = std::string("BEGIN IMMEDIATE;") + (format == 0 ? kSchema : "") +
                            kJournal + "PRAGMA user_version=" + std::to_string(kFormat) +
                            "; COMMIT;";
    TRY(state->run(sql.c_str()));
  }
  return SqliteStore(std::move(state));
}

Result<std::map<NodeId, StoredMachine>> SqliteStore::machines() {
  const std::lock_guard lock(state_->one_at_a_time);
  std::map<NodeId, StoredMachine> out;
  Query query(state_->db, "SELECT node, pid, start_ticks, folder, server_pin FROM machines");
  for (;;) {
    TRY_ASSIGN(const bool row, query.next(state_->path));
    if (!row) return out;
    TRY_ASSIGN_IN(auto node, NodeId::parse(query.text(0)), state_->path);
    TRY_ASSIGN_IN(const auto pin, Digest::parse(query.text(4)), state_->path);
    out.insert_or_assign(
        node, StoredMachine{{node, query.number(1), static_cast<std::uint64_t>(query.number(2)),
                             query.text(3)},
                            pin});
  }
}

Status SqliteStore::put_machine(const StoredMachine& machine) {
  const std::lock_guard lock(state_->one_at_a_time);
  Query query(state_->db, "INSERT OR REPLACE INTO machines VALUES (?, ?, ?, ?, ?)");
  query.bind(machine.record.node.string())
      .bind(machine.record.pid)
      .bind(static_cast<std::int64_t>(machine.record.start_ticks))
      .bind(machine.record.folder)
      .bind(machine.server_pin.string());
  TRY(query.next(state_->path));
  return {};
}

Status SqliteStore::forget_machine(const NodeId& node) {
  const std::lock_guard lock(state_->one_at_a_time);
  Query query(state_->db, "DELETE FROM machines WHERE node = ?");
  query.bind(node.string());
  TRY(query.next(state_->path));
  return {};
}

Result<std::map<PoolName, StoredPool>> SqliteStore::pools() {
  const std::lock_guard lock(state_->one_at_a_time);
  std::map<PoolName, StoredPool> out;
  Query query(state_->db, "SELECT pool, release, release_digest FROM pools");
  for (;;) {
    TRY_ASSIGN(const bool row, query.next(state_->path));
    if (!row) return out;
    TRY_ASSIGN_IN(auto pool, PoolName::parse(query.text(0)), state_->path);
    TRY_ASSIGN_IN(auto release, ReleaseName::parse(query.text(1)), state_->path);
    TRY_ASSIGN_IN(const auto digest, Digest::parse(query.text(2)), state_->path);
    out.insert_or_assign(pool, StoredPool{release, digest});
  }
}

Status SqliteStore::put_pool(const PoolName& pool, const StoredPool& stored) {
  const std::lock_guard lock(state_->one_at_a_time);
  Query query(state_->db, "INSERT OR REPLACE INTO pools VALUES (?, ?, ?)");
  query.bind(pool.string()).bind(stored.release.string()).bind(stored.release_digest.string());
  TRY(query.next(state_->path));
  return {};
}

Status SqliteStore::forget_pool(const PoolName& pool) {
  const std::lock_guard lock(state_->one_at_a_time);
  Query query(state_->db, "DELETE FROM pools WHERE pool = ?");
  query.bind(pool.string());
  TRY(query.next(state_->path));
  return {};
}

Result<std::optional<PoolName>> SqliteStore::active_pool() {
  const std::lock_guard lock(state_->one_at_a_time);
  Query query(state_->db, "SELECT pool FROM active");
  TRY_ASSIGN(const bool row, query.next(state_->path));
  if (!row) return std::optional<PoolName>();
  TRY_ASSIGN_IN(auto pool, PoolName::parse(query.text(0)), state_->path);
  return std::optional<PoolName>(std::move(pool));
}

Status SqliteStore::set_active_pool(const std::optional<PoolName>& pool) {
  const std::lock_guard lock(state_->one_at_a_time);
  Query query(state_->db,
              pool ? "INSERT OR REPLACE INTO active VALUES (1, ?)" : "DELETE FROM active");
  if (pool) query.bind(pool->string());
  TRY(query.next(state_->path));
  return {};
}

Result<std::int64_t> SqliteStore::begin_rollout(const StoredRollout& rollout) {
  const std::lock_guard lock(state_->one_at_a_time);
  TRY(state_->run("BEGIN IMMEDIATE"));
  std::int64_t id = 0;
  const auto write = [&]() -> Status {
    Query query(state_->db,
                "INSERT INTO rollouts (kind, release, from_pool, to_pool, phase, started, "
                "finished, outcome) VALUES (?, ?, ?, ?, ?, ?, 0, '')");
    query.bind(name_of(rollout.kind))
        .bind(rollout.release)
        .bind(rollout.from_pool.string())
        .bind(rollout.to_pool.string())
        .bind(name_of(rollout.phase))
        .bind(rollout.started_unix);
    TRY(query.next(state_->path));
    id = sqlite3_last_insert_rowid(state_->db);
    TRY(state_->run("DELETE FROM records; DELETE FROM plans;"));
    Query plan(state_->db, "INSERT INTO plans VALUES (?, ?)");
    plan.bind(id).bind_bytes(rollout.plan);
    TRY(plan.next(state_->path));
    return {};
  };
  TRY(state_->finish(write()));
  return id;
}

Status SqliteStore::append(const JournalEntry& entry) {
  const std::lock_guard lock(state_->one_at_a_time);
  TRY(state_->run("BEGIN IMMEDIATE"));
  const auto write = [&]() -> Status {
    Query query(
        state_->db,
        "INSERT INTO journal (rollout, at_ms, phase, reasons, commands) VALUES (?, ?, ?, ?, ?)");
    query.bind(entry.rollout)
        .bind(entry.at_unix_ms)
        .bind(name_of(entry.phase))
        .bind(joined(entry.reasons))
        .bind(joined(entry.commands));
    TRY(query.next(state_->path));
    Query phase(state_->db, "UPDATE rollouts SET phase = ? WHERE id = ?");
    phase.bind(name_of(entry.phase)).bind(entry.rollout);
    TRY(phase.next(state_->path));
    Query record(state_->db, "INSERT INTO records (rollout, record) VALUES (?, ?)");
    for (const std::string& bytes : entry.records) {
      record.bind(entry.rollout).bind_bytes(bytes);
      TRY(record.next(state_->path));
      record.again();
    }
    return write_clients(state_->db, state_->path, entry.clients);
  };
  return state_->finish(write());
}

Status SqliteStore::put_clients(const std::vector<StoredClient>& clients) {
  const std::lock_guard lock(state_->one_at_a_time);
  if (clients.empty()) return {};
  TRY(state_->run("BEGIN IMMEDIATE"));
  return state_->finish(write_clients(state_->db, state_->path, clients));
}

Status SqliteStore::finish_rollout(std::int64_t id, Phase phase, const std::string& outcome) {
  const std::lock_guard lock(state_->one_at_a_time);
  Query query(state_->db, "UPDATE rollouts SET phase = ?, finished = 1, outcome = ? WHERE id = ?");
  query.bind(name_of(phase)).bind(outcome).bind(id);
  TRY(query.next(state_->path));
  // Whatever was left open before has been finished by this one; `up` moves nobody.
  Query older(state_->db,
              "UPDATE rollouts SET finished = 1 WHERE id < ?1 AND finished = 0 AND "
              "(kind = 'up' OR (SELECT kind FROM rollouts WHERE id = ?1) != 'up')");
  older.bind(id);
  TRY(older.next(state_->path));
  return {};
}

Result<StoredJournal> SqliteStore::journal(std::int64_t rollout) {
  const std::lock_guard lock(state_->one_at_a_time);
  StoredJournal out;
  Query plan(state_->db, "SELECT plan FROM plans WHERE rollout = ?");
  plan.bind(rollout);
  TRY_ASSIGN(const bool known, plan.next(state_->path));
  if (!known) return out;
  out.plan = plan.bytes(0);
  Query query(state_->db, "SELECT record FROM records WHERE rollout = ? ORDER BY id");
  query.bind(rollout);
  for (;;) {
    TRY_ASSIGN(const bool row, query.next(state_->path));
    if (!row) return out;
    out.records.push_back(query.bytes(0));
  }
}

Result<std::vector<StoredRollout>> SqliteStore::rollouts(std::size_t limit) {
  const std::lock_guard lock(state_->one_at_a_time);
  return read_rollouts(state_->db, state_->path, "kind != ''", limit);
}

Result<std::optional<StoredRollout>> SqliteStore::newest_movement() {
  const std::lock_guard lock(state_->one_at_a_time);
  TRY_ASSIGN(auto newest, read_rollouts(state_->db, state_->path, "kind != 'up'", 1));
  if (newest.empty()) return std::optional<StoredRollout>();
  return std::optional<StoredRollout>(std::move(newest.front()));
}

Result<std::map<PublicKey, Known>> SqliteStore::clients() {
  const std::lock_guard lock(state_->one_at_a_time);
  std::map<PublicKey, Known> out;
  Query query(state_->db, "SELECT public_key, endpoint, node FROM clients");
  for (;;) {
    TRY_ASSIGN(const bool row, query.next(state_->path));
    if (!row) return out;
    TRY_ASSIGN_IN(const auto key, PublicKey::parse(query.text(0)), state_->path);
    TRY_ASSIGN_IN(const auto endpoint, Endpoint::parse(query.text(1)), state_->path);
    TRY_ASSIGN_IN(auto node, NodeId::parse(query.text(2)), state_->path);
    out.insert_or_assign(key, Known{endpoint, node});
  }
}

Status SqliteStore::forget_clients(const std::vector<PublicKey>& clients) {
  const std::lock_guard lock(state_->one_at_a_time);
  if (clients.empty()) return {};
  TRY(state_->run("BEGIN IMMEDIATE"));
  const auto write = [&]() -> Status {
    Query query(state_->db, "DELETE FROM clients WHERE public_key = ?");
    for (const PublicKey& key : clients) {
      query.bind(key.string());
      TRY(query.next(state_->path));
      query.again();
    }
    return {};
  };
  return state_->finish(write());
}

Status SqliteStore::forget_all_clients() {
  const std::lock_guard lock(state_->one_at_a_time);
  // What was deleted is overwritten, in the write-ahead log too: see `secure_delete`.
  TRY(state_->run("DELETE FROM clients; DELETE FROM records; DELETE FROM plans;"));
  return state_->run("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace weir::deployer
