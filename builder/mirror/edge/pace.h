#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "builder/mirror/edge/download.h"

namespace weir::builder {

/// Whether a server sends enough within each span of the policy's patience, however it spreads the
/// bytes; libcurl's own limit looks at the last seconds only, and is met by a trickle.
class Pace {
 public:
  explicit Pace(const DownloadPolicy& policy) : policy_(policy) {}

  void begin();
  /// To be asked about once a second, also while nothing comes.
  ///
  /// received  bytes since `begin`
  [[nodiscard]] bool is_too_slow(std::uint64_t received);
  /// Whether `is_too_slow` was true.
  [[nodiscard]] bool cut_off() const { return cut_off_; }
  /// "sent nothing in 20 s"
  [[nodiscard]] std::string problem() const;

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] ByteCount least() const;

  const DownloadPolicy& policy_;
  Clock::time_point since_{}, asked_{};
  std::uint64_t then_ = 0;
  bool cut_off_ = false, silent_ = false;
};

}  // namespace weir::builder
