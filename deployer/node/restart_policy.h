#pragma once

#include <algorithm>
#include <chrono>

namespace weir::node {

/// How long to wait before a program that ended is started again: 100 ms after its first end, twice
/// as long each further time, 5 s at most; one that had run for 30 s starts over.
class RestartPolicy {
 public:
  /// `ran`: from start to end.
  [[nodiscard]] std::chrono::milliseconds delay_after(std::chrono::milliseconds ran) {
    if (ran >= kGood) delay_ = kFirst;
    const auto out = delay_;
    delay_ = std::min(delay_ * 2, kLongest);
    return out;
  }

 private:
  static constexpr std::chrono::milliseconds kFirst{100}, kLongest{5000}, kGood{30000};
  std::chrono::milliseconds delay_ = kFirst;
};

}  // namespace weir::node
