#pragma once

#include <atomic>
#include <map>
#include <set>
#include <string>

#include "deployer/orders/edge/site.h"

namespace weir::deployer {

/// What somebody has to do all the time while a fleet is up and no order runs: feed nodes that were
/// booted again, remember where clients are, and tell the warm pool, so that it can call them at
/// once.
class Watcher {
 public:
  /// While `quiet` is set it looks, but changes nothing.
  Watcher(Site& site, const std::atomic<bool>& quiet) : site_(site), quiet_(quiet) {}
  /// One look at everything. Nodes that do not answer are said once, not counted as errors.
  Status look();

 private:
  struct Seen;
  Status revive(const NodeId& node, const director::Observed& observed, const Seen& seen);
  Status remember(const director::Observed& observed, const std::map<NodeId, Seen>& seen);
  Status mirror(const director::Observed& observed, const std::map<NodeId, Seen>& seen);
  void complain(const NodeId& node, const std::string& trouble);

  Site& site_;
  const std::atomic<bool>& quiet_;
  std::map<NodeId, std::string> boots_;
  std::map<NodeId, std::string> troubles_;
  std::map<PublicKey, Known> places_;
};

}  // namespace weir::deployer
