#pragma once

#include <sqlite3.h>

#include <mutex>
#include <string>
#include <string_view>

#include "deployer/state/sqlite/edge/sqlite_store.h"
#include "manifests/base/result.h"

/// The inside of SqliteStore: shared by its sources and by nobody else.
namespace weir::deployer {

/// What can be done about a file that holds no state.
inline constexpr const char* kBeginAnew =
    ": move it away and bring the fleet's own back; without that one `weir-deployer up` begins "
    "anew";

/// What went wrong last, in SQLite's words, and what to do where the file is broken.
inline std::string trouble_of(sqlite3* db) {
  const int code = sqlite3_errcode(db);
  const bool broken = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
  // So a disk without room shows where SQLite cannot make its index of the write-ahead log.
  const bool full = code == SQLITE_IOERR || code == SQLITE_FULL;
  return std::string(sqlite3_errmsg(db)) +
         (broken ? kBeginAnew
          : full ? ": is there room on the state folder's disk (df)? Make some, and give the order "
                   "again"
                 : "");
}

struct SqliteStore::State {
  sqlite3* db = nullptr;
  std::string path;
  std::int64_t format = 0;  ///< of the file; a reader upgrades nothing, and finds no newer tables
  std::recursive_mutex one_at_a_time;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { sqlite3_close_v2(db); }

  [[nodiscard]] tl::unexpected<Error> failed() const {
    return fail(sqlite3_errcode(db) == SQLITE_BUSY ? Errc::busy : Errc::io,
                path + ": " + trouble_of(db));
  }
  Status run(const char* sql) const {
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failed();
    return {};
  }
  /// Ends a transaction as what was written in it ended; one that cannot be committed is undone.
  Status finish(Status written) const {
    if (written) written = run("COMMIT");
    if (!written) (void)run("ROLLBACK");
    return written;
  }
};

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
    return fail(Errc::io, path + ": " + trouble_of(db_));
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

}  // namespace weir::deployer
