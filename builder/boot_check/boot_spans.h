#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "manifests/documents/boot_check_statement.h"

namespace weir::builder {

/// A piece of the time line, in words.
struct BootSpan {
  std::string what;  ///< "the kernel starts up"
  std::uint64_t milliseconds = 0;
};

/// Where the time from power-on to the first handshake goes: one span for each step that was
/// reached on the way, in their order. Their sum is the step's time.
[[nodiscard]] std::vector<BootSpan> spans_to_handshake(
    const std::vector<manifests::BootStep>& timeline);

/// When a step was reached; 0 where it is missing.
[[nodiscard]] std::uint64_t time_of(const std::vector<manifests::BootStep>& timeline,
                                    std::string_view step);

}  // namespace weir::builder
