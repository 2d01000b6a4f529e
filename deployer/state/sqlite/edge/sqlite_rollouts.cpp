#include "deployer/state/sqlite/edge/query.h"
#include "deployer/state/sqlite/edge/sqlite_store.h"

/// Rollouts, their journals, and where clients were.
namespace weir::deployer {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "\n") + line;
  return out;
}

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
  if (state_->format < 2) return out;
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

Status SqliteStore::forget_journals_before(std::int64_t rollout) {
  const std::lock_guard lock(state_->one_at_a_time);
  TRY(state_->run("BEGIN IMMEDIATE"));
  const auto write = [&]() -> Status {
    for (const char* sql :
         {"DELETE FROM records WHERE rollout < ?", "DELETE FROM plans WHERE rollout < ?"}) {
      Query query(state_->db, sql);
      query.bind(rollout);
      TRY(query.next(state_->path));
    }
    return {};
  };
  return state_->finish(write());
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
