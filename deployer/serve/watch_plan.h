#pragma once

#include <map>
#include <string>
#include <vector>

#include "deployer/orders/observed.h"

namespace weir::deployer {

/// What was noticed of a fleet while it was watched.
struct Watched {
  std::map<NodeId, std::string> boots;     ///< boot id of each node, as seen last
  std::map<NodeId, std::string> troubles;  ///< why a node does not answer, as said last
  std::map<PublicKey, Known> places;       ///< where clients were seen
};

/// A node that was booted again has no key, no peers and no sessions.
struct Revival {
  NodeId node;
  std::string boot_id;
  std::vector<manifests::PrepareRequest::Client> calls;  ///< its clients: it calls them at once
};

/// What one look at a fleet makes necessary.
struct WatchPlan {
  std::vector<std::string> say;
  std::vector<Revival> revivals;
  std::vector<StoredClient> remember;  ///< clients that are somewhere else than known
  /// Where clients are, for nodes that nobody is sent to and that think they are elsewhere: such a
  /// node can then call each at once.
  std::map<NodeId, std::vector<StoredClient>> mirror;
};

/// Decides, and takes into `watched` what was seen. Where the director does not steer, only what
/// there is to say.
[[nodiscard]] WatchPlan plan_watch(const Documents& documents, const Observed& observed,
                                   Watched& watched);

/// More are told with the next look: a call ends in time.
inline constexpr std::size_t kMirroredACall = 500;

}  // namespace weir::deployer
