#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir {

/// A moment in whole seconds, as documents write it: "2027-11-22T00:00:00Z" (RFC 3339, always UTC,
/// years 1970 to 9999).
struct UtcTime {
  std::int64_t seconds = 0;  ///< since 1970
  auto operator<=>(const UtcTime&) const = default;

  /// Exactly the form above, or a date alone ("2027-11-22": its first second). errors:
  /// invalid_input
  static Result<UtcTime> parse(std::string_view text);
  [[nodiscard]] std::string string() const;
};

}  // namespace weir
