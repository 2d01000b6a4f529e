#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deployer/steering/applied.h"
#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/peers.h"
#include "manifests/documents/release.h"

namespace weir::deployer {

/// Time as the engine sees it: since the order was given, on a clock that only goes forward.
using Instant = std::chrono::milliseconds;

enum class Kind : std::uint8_t {
  deploy,    ///< to a pool that is booted and checked first; a failed preparation moves nobody
  rollback,  ///< to a pool that is warm; nothing is checked twice, and a dead pool is left at once
  up,        ///< brings one pool to life and makes it serve; there is nobody to move
};

/// Where a client was last known to be, from the journal; may be stale.
struct Known {
  Endpoint endpoint;
  NodeId node;
  bool operator==(const Known&) const = default;
};

/// What `up` finds: how much of it is to be made, and to be taken away again should it fail.
struct Ground {
  bool steers = true;   ///< the director is installed already
  bool settled = true;  ///< the pool was up before: what runs stays, whatever happens
  bool operator==(const Ground&) const = default;
};

/// Everything that does not change while one rollout runs.
struct Plan {
  Kind kind = Kind::deploy;
  bool strict = false;                ///< one client that cannot be prepared is too many
  std::optional<PoolName> from_pool;  ///< absent for `up`
  PoolName to_pool;
  std::vector<NodeId> from, to;                ///< `from` is empty for `up`
  std::map<PublicKey, manifests::Peer> peers;  ///< the registry
  std::map<PublicKey, Known> known;
  manifests::RolloutPolicy policy;
  std::optional<manifests::Release> release;  ///< what `to` must report; absent for a rollback
  std::optional<IpAddress> probe_source;      ///< inner address of the probe peer, not a client
  Ground ground{};                            ///< for `up`
  DirectorId director;
  std::set<NodeId> wrong_clocks{};  ///< rehearsals: what their clocks say is left as it is
};

/// At most this many initiations without an answer a node: beyond 512 WireGuard answers with
/// cookies.
inline constexpr std::uint32_t kMaxUnconfirmed = 400;
/// A client that was heard within this time holds a session (REJECT_AFTER_TIME, WireGuard
/// paper 6.1).
inline constexpr std::chrono::seconds kSessionLife{180};
/// A prepared session older than this is made afresh before it is used.
inline constexpr std::chrono::seconds kPreparedLife{100};

/// A rollout's phases (docs/deployer.md).
enum class Phase : std::uint8_t {
  planned,
  booting,       ///< boots, checks and feeds the new pool; steering is untouched
  preparing,     ///< handshakes with every active client; nobody is moved
  committing,    ///< moves clients, batch after batch
  judging,       ///< active pool switched, last stragglers follow
  committed,     ///< done; the old pool is warm
  rolling_back,  ///< gives up what was prepared, or moves back what was moved
  rolled_back,   ///< done; nobody is on the new pool
  retired,
};
[[nodiscard]] std::string_view name_of(Phase phase);
[[nodiscard]] std::string_view name_of(Kind kind);
[[nodiscard]] std::optional<Phase> parse_phase(std::string_view name);
[[nodiscard]] std::optional<Kind> parse_kind(std::string_view name);

/// The name a person knows a client by: the registry's, else the public key.
[[nodiscard]] std::string shown(const Plan& plan, const PublicKey& key);

/// What a person orders next where a rollout of `plan` ended halfway.
[[nodiscard]] std::string way_on(const Plan& plan);

/// The node of `nodes` that takes a peer: the same one every time, and evenly spread.
/// `nodes` must not be empty.
[[nodiscard]] const NodeId& node_for(const PublicKey& key, const std::vector<NodeId>& nodes);

}  // namespace weir::deployer
