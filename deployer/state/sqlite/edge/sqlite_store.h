#pragma once

#include <memory>
#include <string>

#include "deployer/state/state_store.h"

namespace weir::deployer {

/// One SQLite file (write-ahead log, synchronous=FULL, defensive, mode 0600). Format:
/// docs/deployer.md. It lies in the fleet's state folder, and machines that it names have theirs
/// beside it. errors of all: also integrity: a file of another format
class SqliteStore final : public StateStore {
 public:
  /// `read` changes nothing and makes no file. errors: also not_found: there is none to read
  enum class Access : std::uint8_t { read, write };
  static Result<SqliteStore> open(const std::string& path, Access access = Access::write);
  SqliteStore(SqliteStore&&) noexcept;
  SqliteStore& operator=(SqliteStore&&) noexcept;
  ~SqliteStore() override;

  Result<std::map<NodeId, StoredMachine>> machines() override;
  Status put_machine(const StoredMachine& machine) override;
  Status forget_machine(const NodeId& node) override;
  Result<std::map<PoolName, StoredPool>> pools() override;
  Status put_pool(const PoolName& pool, const StoredPool& stored) override;
  Status forget_pool(const PoolName& pool) override;
  Result<std::optional<PoolName>> active_pool() override;
  Status set_active_pool(const std::optional<PoolName>& pool) override;
  Result<std::optional<std::string>> steered_namespace() override;
  Status set_steered_namespace(const std::optional<std::string>& name) override;
  Result<std::int64_t> begin_rollout(const StoredRollout& rollout) override;
  Status append(const JournalEntry& entry) override;
  Status finish_rollout(std::int64_t id, Phase phase, const std::string& outcome) override;
  Result<StoredJournal> journal(std::int64_t rollout) override;
  Status forget_journals_before(std::int64_t rollout) override;
  Result<std::vector<StoredRollout>> rollouts(std::size_t limit) override;
  Result<std::optional<StoredRollout>> newest_movement() override;
  Result<std::map<PublicKey, Known>> clients() override;
  Status put_clients(const std::vector<StoredClient>& clients) override;
  Status forget_clients(const std::vector<PublicKey>& clients) override;
  Status forget_all_clients() override;

 private:
  struct State;
  explicit SqliteStore(std::unique_ptr<State> state);
  Status add_pool_nodes(std::map<PoolName, StoredPool>& pools);
  std::unique_ptr<State> state_;
};

}  // namespace weir::deployer
