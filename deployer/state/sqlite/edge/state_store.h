#pragma once

#include <cstdint>
#include <map>
#include <memory>
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
  Digest release_digest;  ///< of the signed release document
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
};

/// A fleet's memory: one SQLite file (write-ahead log, synchronous=FULL, defensive, mode 0600).
/// What it says is what was ordered; what is true is read from the data plane. Format:
/// docs/deployer.md. May be used from several threads. errors of all: io, integrity (another
/// format)
class StateStore {
 public:
  static Result<StateStore> open(const std::string& path);
  StateStore(StateStore&&) noexcept;
  StateStore& operator=(StateStore&&) noexcept;
  ~StateStore();

  Result<std::map<NodeId, StoredMachine>> machines();
  Status put_machine(const StoredMachine& machine);
  Status forget_machine(const NodeId& node);

  Result<std::map<PoolName, StoredPool>> pools();
  Status put_pool(const PoolName& pool, const StoredPool& stored);
  Status forget_pool(const PoolName& pool);

  /// The pool that new clients go to, as ordered last.
  Result<std::optional<PoolName>> active_pool();
  Status set_active_pool(const std::optional<PoolName>& pool);

  Result<std::int64_t> begin_rollout(const StoredRollout& rollout);
  /// One transaction, on the disk when it returns.
  Status append(const JournalEntry& entry);
  Status finish_rollout(std::int64_t id, Phase phase, const std::string& outcome);
  /// The newest first.
  Result<std::vector<StoredRollout>> rollouts(std::size_t limit);
  Result<std::map<PublicKey, Known>> clients();
  Status put_clients(const std::vector<StoredClient>& clients);

 private:
  struct State;
  explicit StateStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::deployer
