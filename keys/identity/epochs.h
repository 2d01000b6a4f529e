#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "manifests/base/result.h"

namespace weir::keys {

/// What an identity has one of in each of its epochs: one epoch, or two, never the same, while
/// clients go over from the older to the newer.
template <class Each>
class Epochs {
 public:
  explicit Epochs(Each only) { epochs_.push_back(std::move(only)); }
  /// errors: invalid_input: none, more than two, or one twice
  static Result<Epochs> of(std::vector<Each> oldest_first) {
    if (oldest_first.empty() || oldest_first.size() > kMost) {
      return fail(Errc::invalid_input, "an identity has one epoch or two");
    }
    if (oldest_first.size() == kMost && oldest_first.front() == oldest_first.back()) {
      return fail(Errc::invalid_input, "an identity's two epochs must have different keys");
    }
    return Epochs(std::move(oldest_first));
  }

  /// What clients are given now: the newest.
  [[nodiscard]] const Each& current() const { return epochs_.back(); }
  /// What they were given before, and what is on its way out; null where there is one epoch.
  [[nodiscard]] const Each* outgoing() const {
    return epochs_.size() == kMost ? &epochs_.front() : nullptr;
  }
  [[nodiscard]] const std::vector<Each>& oldest_first() const { return epochs_; }
  bool operator==(const Epochs&) const = default;

 private:
  static constexpr std::size_t kMost = 2;
  explicit Epochs(std::vector<Each> oldest_first) : epochs_(std::move(oldest_first)) {}
  std::vector<Each> epochs_;
};

}  // namespace weir::keys
