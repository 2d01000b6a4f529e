#pragma once

#include <mutex>

#include "deployer/state/state_store.h"

namespace weir::deployer {

/// A memory that goes with the process: for looking at a fleet that has none yet, and for tests.
class MemoryStore final : public StateStore {
 public:
  MemoryStore() = default;

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
  std::mutex lock_;
  std::map<NodeId, StoredMachine> machines_;
  std::map<PoolName, StoredPool> pools_;
  std::optional<PoolName> active_;
  std::optional<std::string> steered_namespace_;
  std::vector<StoredRollout> rollouts_;  ///< by number, from 1
  std::map<std::int64_t, StoredJournal> journals_;
  std::map<PublicKey, Known> clients_;
};

}  // namespace weir::deployer
