#pragma once

#include <cstdint>
#include <string_view>

#include "manifests/base/result.h"

namespace weir {

/// What tells one process from another and whether it runs.
struct ProcessStat {
  char state = '?';               ///< R S D T t Z X …
  std::uint64_t start_ticks = 0;  ///< after boot, in clock ticks
  bool operator==(const ProcessStat&) const = default;
};

/// Reads /proc/PID/stat. The process's name may hold spaces and parentheses.
/// errors: invalid_input
/// source: proc(5), fields 3 and 22
[[nodiscard]] Result<ProcessStat> parse_process_stat(std::string_view text);

}  // namespace weir
