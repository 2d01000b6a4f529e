#include "deployer/state/memory/edge/memory_store.h"

#include <algorithm>

namespace weir::deployer {
namespace {

void put(std::map<PublicKey, Known>& into, const std::vector<StoredClient>& clients) {
  for (const StoredClient& it : clients) {
    into.insert_or_assign(it.key, Known{it.endpoint, it.node});
  }
}

}  // namespace

Result<std::map<NodeId, StoredMachine>> MemoryStore::machines() {
  const std::lock_guard guard(lock_);
  return machines_;
}

Status MemoryStore::put_machine(const StoredMachine& machine) {
  const std::lock_guard guard(lock_);
  machines_.insert_or_assign(machine.record.node, machine);
  return {};
}

Status MemoryStore::forget_machine(const NodeId& node) {
  const std::lock_guard guard(lock_);
  machines_.erase(node);
  return {};
}

Result<std::map<PoolName, StoredPool>> MemoryStore::pools() {
  const std::lock_guard guard(lock_);
  return pools_;
}

Status MemoryStore::put_pool(const PoolName& pool, const StoredPool& stored) {
  const std::lock_guard guard(lock_);
  pools_.insert_or_assign(pool, stored);
  return {};
}

Status MemoryStore::forget_pool(const PoolName& pool) {
  const std::lock_guard guard(lock_);
  pools_.erase(pool);
  return {};
}

Result<std::optional<PoolName>> MemoryStore::active_pool() {
  const std::lock_guard guard(lock_);
  return active_;
}

Status MemoryStore::set_active_pool(const std::optional<PoolName>& pool) {
  const std::lock_guard guard(lock_);
  active_ = pool;
  return {};
}

Result<std::optional<std::string>> MemoryStore::steered_namespace() {
  const std::lock_guard guard(lock_);
  return steered_namespace_;
}

Status MemoryStore::set_steered_namespace(const std::optional<std::string>& name) {
  const std::lock_guard guard(lock_);
  steered_namespace_ = name;
  return {};
}

Result<std::int64_t> MemoryStore::begin_rollout(const StoredRollout& rollout) {
  const std::lock_guard guard(lock_);
  rollouts_.push_back(rollout);
  rollouts_.back().id = static_cast<std::int64_t>(rollouts_.size());
  journals_[rollouts_.back().id].plan = rollout.plan;
  return rollouts_.back().id;
}

Status MemoryStore::append(const JournalEntry& entry) {
  const std::lock_guard guard(lock_);
  if (entry.rollout < 1 || entry.rollout > static_cast<std::int64_t>(rollouts_.size())) {
    return fail(Errc::bug, "journal: no rollout " + std::to_string(entry.rollout));
  }
  rollouts_[static_cast<std::size_t>(entry.rollout - 1)].phase = entry.phase;
  put(clients_, entry.clients);
  auto& records = journals_[entry.rollout].records;
  records.insert(records.end(), entry.records.begin(), entry.records.end());
  return {};
}

Status MemoryStore::finish_rollout(std::int64_t id, Phase phase, const std::string& outcome) {
  const std::lock_guard guard(lock_);
  const bool up = std::any_of(rollouts_.begin(), rollouts_.end(),
                              [&](const auto& it) { return it.id == id && it.kind == Kind::up; });
  for (StoredRollout& it : rollouts_) {
    if (it.id > id) break;
    if (it.id == id) {
      it.finished = true;
      it.phase = phase;
      it.outcome = outcome;
    } else if (!up || it.kind == Kind::up) {
      it.finished = true;
    }
  }
  return {};
}

Result<StoredJournal> MemoryStore::journal(std::int64_t rollout) {
  const std::lock_guard guard(lock_);
  return journals_[rollout];
}

Status MemoryStore::forget_journals_before(std::int64_t rollout) {
  const std::lock_guard guard(lock_);
  journals_.erase(journals_.begin(), journals_.lower_bound(rollout));
  return {};
}

Result<std::vector<StoredRollout>> MemoryStore::rollouts(std::size_t limit) {
  const std::lock_guard guard(lock_);
  std::vector<StoredRollout> out(rollouts_.rbegin(), rollouts_.rend());
  if (out.size() > limit) out.erase(out.begin() + static_cast<std::ptrdiff_t>(limit), out.end());
  return out;
}

Result<std::optional<StoredRollout>> MemoryStore::newest_movement() {
  const std::lock_guard guard(lock_);
  const auto found = std::find_if(rollouts_.rbegin(), rollouts_.rend(),
                                  [](const auto& it) { return it.kind != Kind::up; });
  if (found == rollouts_.rend()) return std::optional<StoredRollout>();
  return std::optional<StoredRollout>(*found);
}

Result<std::map<PublicKey, Known>> MemoryStore::clients() {
  const std::lock_guard guard(lock_);
  return clients_;
}

Status MemoryStore::put_clients(const std::vector<StoredClient>& clients) {
  const std::lock_guard guard(lock_);
  put(clients_, clients);
  return {};
}

Status MemoryStore::forget_clients(const std::vector<PublicKey>& clients) {
  const std::lock_guard guard(lock_);
  for (const PublicKey& key : clients) clients_.erase(key);
  return {};
}

Status MemoryStore::forget_all_clients() {
  const std::lock_guard guard(lock_);
  clients_.clear();
  journals_.clear();
  return {};
}

}  // namespace weir::deployer
