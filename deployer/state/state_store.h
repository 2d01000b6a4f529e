#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deployer/pool/machines.h"
#include "deployer/rollout/terms/plan.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::deployer {

/// A machine that was started, and how to know its node again.
struct StoredMachine {
  pool::MachineRecord record;
  Digest server_pin;
};

/// What a pool was booted from.
struct StoredPool {
  ReleaseName release;
  Digest release_digest;        ///< of the signed release document
  std::vector<NodeId> nodes{};  ///< empty: a version that did not write them down booted it
};

/// One rollout as the journal has it.
struct StoredRollout {
  std::int64_t id = 0;
  Kind kind = Kind::deploy;
  std::string release;  ///< empty for a rollback
  PoolName from_pool, to_pool;
  Phase phase = Phase::planned;
  std::int64_t started_unix = 0;
  bool finished = false;
  std::string outcome;  ///< one line for people
  std::string plan{};   ///< `encode(Plan)`: what its journal is walked with; not read back in lists
};

/// Where a client was when a rollout last knew.
struct StoredClient {
  PublicKey key;
  Endpoint endpoint;
  NodeId node;
};

/// One step of a rollout, written before its commands are performed.
struct JournalEntry {
  std::int64_t rollout = 0;
  std::int64_t at_unix_ms = 0;
  Phase phase = Phase::planned;
  std::vector<std::string> reasons, commands;
  std::vector<StoredClient> clients;  ///< those whose place changed
  std::vector<std::string>
      records{};  ///< `encode(JournalRecord)`, of all steps since the last entry
};

/// A rollout's journal as far as it was kept, by former versions not at all: what `replay` walks.
struct StoredJournal {
  std::string plan;
  std::vector<std::string> records;
};

/// A fleet's memory. What it says is what was ordered; what is true is read from the data plane.
/// May be used from several threads. `sqlite/` is the backend that lasts.
/// errors of all: io, integrity
class StateStore {
 public:
  StateStore() = default;
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;
  StateStore(StateStore&&) = default;
  StateStore& operator=(StateStore&&) = default;
  virtual ~StateStore() = default;

  virtual Result<std::map<NodeId, StoredMachine>> machines() = 0;
  virtual Status put_machine(const StoredMachine& machine) = 0;
  virtual Status forget_machine(const NodeId& node) = 0;

  virtual Result<std::map<PoolName, StoredPool>> pools() = 0;
  virtual Status put_pool(const PoolName& pool, const StoredPool& stored) = 0;
  virtual Status forget_pool(const PoolName& pool) = 0;

  /// The pool that new clients go to, as ordered last.
  virtual Result<std::optional<PoolName>> active_pool() = 0;
  virtual Status set_active_pool(const std::optional<PoolName>& pool) = 0;

  /// The network namespace that the fleet is up in, "" for the host's; absent: it is not up, or was
  /// brought up by a version that did not write it down.
  virtual Result<std::optional<std::string>> steered_namespace() = 0;
  virtual Status set_steered_namespace(const std::optional<std::string>& name) = 0;

  /// Costs the same, however long journals before it are.
  virtual Result<std::int64_t> begin_rollout(const StoredRollout& rollout) = 0;
  /// One transaction, on the disk when it returns.
  virtual Status append(const JournalEntry& entry) = 0;
  /// Whatever was left open before it has been finished by it too; by an `up` only other ones.
  virtual Status finish_rollout(std::int64_t id, Phase phase, const std::string& outcome) = 0;
  virtual Result<StoredJournal> journal(std::int64_t rollout) = 0;
  /// They name where clients were, and nobody walks them once another rollout is over.
  virtual Status forget_journals_before(std::int64_t rollout) = 0;
  /// The newest first.
  virtual Result<std::vector<StoredRollout>> rollouts(std::size_t limit) = 0;
  /// The newest deploy or rollback.
  virtual Result<std::optional<StoredRollout>> newest_movement() = 0;

  /// Where clients were seen last.
  virtual Result<std::map<PublicKey, Known>> clients() = 0;
  virtual Status put_clients(const std::vector<StoredClient>& clients) = 0;
  /// Of those that nobody will call any more, or of all, with every journal: their addresses are
  /// nobody's business.
  virtual Status forget_clients(const std::vector<PublicKey>& clients) = 0;
  virtual Status forget_all_clients() = 0;
};

}  // namespace weir::deployer
