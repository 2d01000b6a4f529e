#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/lock/explanation.h"
#include "builder/mirror/edge/cache.h"
#include "builder/mirror/edge/mirror.h"
#include "builder/mirror/package_index.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

struct LockRequest {
  std::string manifest, out, cache;  ///< paths
  MirrorRequest mirrors;
  /// What may move, as `keep_all_but` reads it; absent or empty: everything.
  std::optional<std::vector<std::string>> updates;
  bool check = false;              ///< compare the lock that is there with what the suites have now
  std::vector<std::string> why{};  ///< packages whose choice is to be explained
  std::vector<std::string> accept_expired{};  ///< suites whose Valid-Until may have passed
};

/// A package that its suite no longer has.
struct VanishedPackage {
  manifests::LockedPackage package;
  bool cached = false;  ///< the cache still has its .deb
};

struct LockOutcome {
  manifests::Lock lock;
  std::string text;                         ///< of `lock`
  std::optional<manifests::Lock> before;    ///< what stands at `LockRequest::out`
  std::vector<VanishedPackage> vanished;    ///< from `before`, after a check
  std::vector<Explanation> explanations{};  ///< of `LockRequest::why`
  std::vector<std::string> notes{};         ///< what a person should know, a sentence each
};

/// Reads the manifest and the signed indices of its suites and makes the lock; writes nothing but
/// the cache.
///
/// errors  of every step; integrity: a suite's index is older than the one in the lock that stands
///         there; not_found: an update or a check without such a lock; invalid_input: that lock
///         cannot be read
[[nodiscard]] Result<LockOutcome> make_lock(const LockRequest& request);

}  // namespace weir::builder
