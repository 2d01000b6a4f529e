#pragma once

#include <atomic>

#include "deployer/serve/watch_plan.h"
#include "deployer/site/edge/site.h"

namespace weir::deployer {

/// Whether nodes that were booted again are given key and peers.
enum class Revivals : std::uint8_t { now, wait };

/// What somebody has to do all the time while a fleet is up and no order runs: feed nodes that were
/// booted again, remember where clients are, and tell the warm pool, so that it can call them at
/// once.
class Watcher {
 public:
  /// While `quiet` is set it looks, but changes nothing.
  /// watched  what an earlier watcher of the fleet noticed
  Watcher(Site& site, const std::atomic<bool>& quiet, Watched watched = {})
      : site_(site), quiet_(quiet), watched_(std::move(watched)) {}
  /// One look at everything. Nodes that do not answer are said once, not counted as errors. A node
  /// that is booted again loses no peer that the registry does not name: only orders take any away.
  Status look(Revivals revivals = Revivals::now);
  [[nodiscard]] const Watched& watched() const { return watched_; }

 private:
  Status revive(const Revival& revival);
  Status mirror(const NodeId& node, const std::vector<StoredClient>& clients,
                const PublicKey& seal_key);

  Site& site_;
  const std::atomic<bool>& quiet_;
  Watched watched_;
};

}  // namespace weir::deployer
