#include "deployer/state/sqlite/edge/sqlite_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "deployer/state/node_folder.h"
#include "deployer/state/sqlite/edge/query.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/owner_access.h"
#include "manifests/base/paths.h"

namespace weir::deployer {
namespace {

constexpr int kFormat = 3;

// What format 2 has and format 1 had not.
constexpr const char* kJournal = R"sql(
CREATE TABLE plans (rollout INTEGER PRIMARY KEY REFERENCES rollouts(id), plan BLOB NOT NULL) STRICT;
CREATE TABLE records (id INTEGER PRIMARY KEY, rollout INTEGER NOT NULL REFERENCES rollouts(id),
  record BLOB NOT NULL) STRICT;
)sql";

// What format 3 has and format 2 had not.
constexpr const char* kSteered = R"sql(
CREATE TABLE pool_nodes (node TEXT PRIMARY KEY, pool TEXT NOT NULL) STRICT;
CREATE TABLE steered (one INTEGER PRIMARY KEY CHECK (one = 1), network_namespace TEXT NOT NULL) STRICT;
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

}  // namespace

SqliteStore::SqliteStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteStore::SqliteStore(SqliteStore&&) noexcept = default;
SqliteStore& SqliteStore::operator=(SqliteStore&&) noexcept = default;
SqliteStore::~SqliteStore() = default;

Result<SqliteStore> SqliteStore::open(const std::string& path, Access access) {
  const bool writes = access == Access::write;
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return fail(Errc::invalid_input, path + ": is no file" + kBeginAnew);
  }
  if (writes) {
    // SQLite would make it with the umask's mode; its journal files inherit the mode of this one.
    // One that is there must not be opened: closing it would drop the locks that SQLite holds for
    // this process's other connections (fcntl_locking(2)), and another process could then end the
    // journal that they still write.
    const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid() && errno != EEXIST) return fail_errno(Errc::io, errno, path);
    const int sys = fd.valid() ? grant_to_owner(fd.get(), 0600) : 0;
    if (sys != 0) return fail_errno(Errc::io, sys, path);
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
    const std::string sql = std::string("BEGIN IMMEDIATE;") + (format < 1 ? kSchema : "") +
                            (format < 2 ? kJournal : "") + kSteered +
                            "PRAGMA user_version=" + std::to_string(kFormat) + "; COMMIT;";
    TRY(state->run(sql.c_str()));
    format = kFormat;
  }
  state->format = format;
  return SqliteStore(std::move(state));
}

Result<std::map<NodeId, StoredMachine>> SqliteStore::machines() {
  const std::lock_guard lock(state_->one_at_a_time);
  std::map<NodeId, StoredMachine> out;
  std::error_code error;
  const std::string here = std::filesystem::canonical(folder_of(state_->path), error);
  if (error) return fail_errno(Errc::io, error.value(), state_->path);
  // The folder that was written down was copied along where the file is a copy.
  Query query(state_->db, "SELECT node, pid, start_ticks, server_pin FROM machines");
  for (;;) {
    TRY_ASSIGN(const bool row, query.next(state_->path));
    if (!row) return out;
    TRY_ASSIGN_IN(auto node, NodeId::parse(query.text(0)), state_->path);
    TRY_ASSIGN_IN(const auto pin, Digest::parse(query.text(3)), state_->path);
    out.insert_or_assign(
        node, StoredMachine{{node, query.number(1), static_cast<std::uint64_t>(query.number(2)),
                             node_folder(here, node)},
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
    if (!row) break;
    TRY_ASSIGN_IN(auto pool, PoolName::parse(query.text(0)), state_->path);
    TRY_ASSIGN_IN(auto release, ReleaseName::parse(query.text(1)), state_->path);
    TRY_ASSIGN_IN(const auto digest, Digest::parse(query.text(2)), state_->path);
    out.insert_or_assign(pool, StoredPool{release, digest});
  }
  TRY(add_pool_nodes(out));
  return out;
}

/// Of pools that are up.
Status SqliteStore::add_pool_nodes(std::map<PoolName, StoredPool>& pools) {
  if (state_->format < 3) return {};
  Query query(state_->db, "SELECT node, pool FROM pool_nodes ORDER BY node");
  for (;;) {
    TRY_ASSIGN(const bool row, query.next(state_->path));
    if (!row) return {};
    TRY_ASSIGN_IN(const auto node, NodeId::parse(query.text(0)), state_->path);
    TRY_ASSIGN_IN(const auto pool, PoolName::parse(query.text(1)), state_->path);
    if (const auto found = pools.find(pool); found != pools.end()) {
      found->second.nodes.push_back(node);
    }
  }
}

Status SqliteStore::put_pool(const PoolName& pool, const StoredPool& stored) {
  const std::lock_guard lock(state_->one_at_a_time);
  TRY(state_->run("BEGIN IMMEDIATE"));
  return state_->finish([&]() -> Status {
    Query query(state_->db, "INSERT OR REPLACE INTO pools VALUES (?, ?, ?)");
    query.bind(pool.string()).bind(stored.release.string()).bind(stored.release_digest.string());
    TRY(query.next(state_->path));
    Query before(state_->db, "DELETE FROM pool_nodes WHERE pool = ?");
    before.bind(pool.string());
    TRY(before.next(state_->path));
    for (const NodeId& node : stored.nodes) {
      Query one(state_->db, "INSERT OR REPLACE INTO pool_nodes VALUES (?, ?)");
      one.bind(node.string()).bind(pool.string());
      TRY(one.next(state_->path));
    }
    return {};
  }());
}

Status SqliteStore::forget_pool(const PoolName& pool) {
  const std::lock_guard lock(state_->one_at_a_time);
  TRY(state_->run("BEGIN IMMEDIATE"));
  return state_->finish([&]() -> Status {
    for (const char* sql :
         {"DELETE FROM pools WHERE pool = ?", "DELETE FROM pool_nodes WHERE pool = ?"}) {
      Query query(state_->db, sql);
      query.bind(pool.string());
      TRY(query.next(state_->path));
    }
    return {};
  }());
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

Result<std::optional<std::string>> SqliteStore::steered_namespace() {
  const std::lock_guard lock(state_->one_at_a_time);
  if (state_->format < 3) return std::optional<std::string>();
  Query query(state_->db, "SELECT network_namespace FROM steered");
  TRY_ASSIGN(const bool row, query.next(state_->path));
  if (!row) return std::optional<std::string>();
  return std::optional<std::string>(query.text(0));
}

Status SqliteStore::set_steered_namespace(const std::optional<std::string>& name) {
  const std::lock_guard lock(state_->one_at_a_time);
  Query query(state_->db,
              name ? "INSERT OR REPLACE INTO steered VALUES (1, ?)" : "DELETE FROM steered");
  if (name) query.bind(*name);
  TRY(query.next(state_->path));
  return {};
}

}  // namespace weir::deployer
