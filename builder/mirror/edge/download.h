#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "builder/mirror/edge/cache.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::builder {

class Connections;

/// A file whose content is known before it is fetched.
struct Download {
  std::string what;  ///< for errors: "iproute2 6.1.0-3"
  /// http, https, file or copy, without logins. They are asked in turn, as `Attempts` says.
  std::vector<std::string> urls;
  Digest digest;
  ByteCount size;
  std::string if_nowhere{};  ///< what to say behind the error, where no address has it
};

struct DownloadProgress {
  std::size_t files_done = 0, files_total = 0;
  ByteCount bytes_done, bytes_total;
};

/// Who is told how far it is.
struct DownloadObserver {
  /// At most ten times a second, and once at the end.
  std::function<void(const DownloadProgress&)> progress{};
  /// One line for a person: an attempt failed, and there is another one.
  std::function<void(const std::string&)> notice{};
};

/// Called with the place of a download as soon as its file is in the cache.
using DownloadArrived = std::function<void(std::size_t)>;

struct DownloadPolicy {
  std::size_t parallel = 6;
  int attempts = 3;                           ///< at each address of a file
  std::chrono::milliseconds first_wait{500};  ///< before an address is asked again; then doubles
  std::chrono::seconds connect{10};           ///< until a server took the connection
  /// An attempt fails that brings less than `slowest` a second over any span of `patience`; what it
  /// brought is kept, so that a slow line goes on, and a trickle ends.
  std::chrono::seconds patience{20};
  ByteCount slowest{4096};
  /// When everything ends, however far it is.
  std::optional<std::chrono::steady_clock::time_point> until{};
  /// Asked ten times a second; true ends everything, too.
  std::function<bool()> stopped{};
  /// Logins, proxies and certificates; without: none but what libcurl finds in the environment.
  std::shared_ptr<const Connections> connections{};
};

/// Fetches files into the cache, several at a time. Size and digest are checked while bytes arrive;
/// a file appears in the cache whole or not at all. What was cut off stays behind in `partial/` and
/// is continued by the next attempt, also of a later run. `arrived` is called by the same thread.
///
/// errors   of the first download that fails for good, which ends all others:
///          not_found: no server has it; integrity: other bytes than promised, twice;
///          timeout: `policy.until` has come, or as follows;
///          io, timeout, unauthorized: each address's last reason, with the address;
///          busy: `policy.stopped`
[[nodiscard]] Status download(const std::vector<Download>& downloads, const Cache& cache,
                              const DownloadPolicy& policy, const DownloadObserver& observer,
                              const DownloadArrived& arrived = {});

}  // namespace weir::builder
