#pragma once

#include <cstdint>
#include <optional>

#include "deployer/steering/steering.h"
#include "manifests/base/result.h"

namespace weir::director {

/// Whose order installed what stands there.
enum class Maker : std::uint8_t {
  us,       ///< this state folder's
  other,    ///< another one's
  unknown,  ///< it bears no mark: an earlier version installed it
};

/// What steers packets, live. Everything `install` makes, `remove` takes away; nothing else is
/// touched. `nft/` is the backend of nftables. Used by one thread at a time.
class Director {
 public:
  Director() = default;
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;
  Director(Director&&) = default;
  Director& operator=(Director&&) = default;
  virtual ~Director() = default;

  /// Whether it steers, whoever had that installed: see `maker`.
  [[nodiscard]] virtual Result<bool> installed() = 0;
  /// errors: not_found: nothing is installed
  [[nodiscard]] virtual Result<Maker> maker() = 0;
  /// Whether packets that left a tunnel have a way on. errors: not_found: the upstream interface is
  /// not there
  virtual Status check_upstream() = 0;
  /// Begins to steer. Data interfaces may still be missing: see `attach`. One transaction for
  /// steering: it is the old one or the new one.
  /// `learned`, where given, re-seeds what packets had taught, before the first packet is steered.
  virtual Status install(const Intent& steering, const std::optional<Learned>& learned) = 0;
  /// Addresses, routes and sysctls of one node's data and management links, once its taps exist.
  virtual Status attach(const NodeId& node) = 0;

  /// One transaction. errors: busy: the director is at another version (read it, make a new delta)
  virtual Status apply(const Delta& delta) = 0;
  /// errors: not_found: not installed; integrity: the live state is not one of ours, naming what
  /// differs
  [[nodiscard]] virtual Result<Observed> read() = 0;
  /// Forgets all that packets taught about a node (it is dead).
  virtual Status forget(const NodeId& node) = 0;
  /// Sends one inner packet to an idle client through `node`, so that the client answers.
  virtual Status nudge(const NodeId& node, const IpAddress& inner) = 0;
  virtual Status remove() = 0;
};

}  // namespace weir::director
