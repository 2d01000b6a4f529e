#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::pool {

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

/// The last `lines` lines of a console, fit for an error message: control characters, which a guest
/// could use against the reader's terminal, become '?', and a line that broke off in front is left
/// out.
///
/// whole  whether `text` starts where the console started
[[nodiscard]] std::string last_lines(std::string_view text, std::size_t lines, bool whole);

}  // namespace weir::pool
