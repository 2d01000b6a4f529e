#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "builder/mirror/edge/cache.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// A file whose content is known before it is fetched.
struct Download {
  std::string what;               ///< for errors: "iproute2 6.1.0-3"
  std::vector<std::string> urls;  ///< http or https; the next is tried where one is missing
  Digest digest;
  ByteCount size;
};

struct DownloadProgress {
  std::size_t files_done = 0, files_total = 0;
  ByteCount bytes_done, bytes_total;
};

/// Called at most ten times a second, and once at the end.
using DownloadObserver = std::function<void(const DownloadProgress&)>;

/// Called with the place of a download as soon as its file is in the cache.
using DownloadArrived = std::function<void(std::size_t)>;

struct DownloadPolicy {
  std::size_t parallel = 6;
  int attempts = 5;                           ///< for each file
  std::chrono::milliseconds first_wait{500};  ///< before the second attempt; doubles each time
  /// An attempt fails that brings less than `slowest` a second over any span of `patience`; what it
  /// brought is kept, so that a slow line goes on, and a trickle ends.
  std::chrono::seconds patience{30};
  ByteCount slowest{1024};
};

/// Fetches files into the cache, several at a time. Size and digest are checked while bytes arrive;
/// a file appears in the cache whole or not at all. What was cut off stays behind in `partial/` and
/// is continued by the next attempt, also of a later run. `arrived` is called by the same thread.
///
/// returns  one status a download, in their order:
///          not_found: the server does not have it at any of its addresses;
///          integrity: other bytes than promised, twice in a row;
///          io, timeout: the last attempt's reason, with the address
[[nodiscard]] std::vector<Status> download(const std::vector<Download>& downloads,
                                           const Cache& cache, const DownloadPolicy& policy,
                                           const DownloadObserver& observer,
                                           const DownloadArrived& arrived = {});

/// Fetches a small file of unknown content. errors: as above; exhausted: larger than `limit`
[[nodiscard]] Result<std::string> download_text(const std::string& url, ByteCount limit,
                                                const DownloadPolicy& policy);

}  // namespace weir::builder
