#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "builder/mirror/edge/fetch.h"

namespace weir::builder {

struct WantedPackage {
  manifests::LockedPackage package;
  bool fetch = false;  ///< the cache is known not to have it
};

/// How fetching and work on what was fetched run side by side.
struct PackageFlow {
  /// Where packages come from; asked once, if the cache lacks one.
  std::function<Result<Mirrors>()> mirrors;
  DownloadObserver observer;
  /// Called with a package's place and its .deb, on several threads at once.
  std::function<Status(std::size_t, const std::string& deb)> use;
};

/// Hands every package's .deb to `flow.use` as soon as it is there, on as many threads as the
/// machine has processors: what the cache holds goes first, the largest before the others, while
/// the rest is being fetched. A cached file that is damaged is fetched anew.
///
/// returns  how long it took until the last package was there; zero if none was fetched
/// errors   the first of read_package, fetch_packages and `flow.use`, after which nothing new
///          begins, and what is still being fetched is ended
[[nodiscard]] Result<std::chrono::nanoseconds> each_package(
    const std::vector<WantedPackage>& packages, const Cache& cache, const PackageFlow& flow);

}  // namespace weir::builder
