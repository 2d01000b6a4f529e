#pragma once

#include <string>
#include <string_view>

namespace weir::pool {

/// The last `lines` lines of a console, fit for an error message: control characters, which a guest
/// could use against the reader's terminal, become '?', and a line that broke off in front is left
/// out.
///
/// whole  whether `text` starts where the console started
[[nodiscard]] std::string last_lines(std::string_view text, std::size_t lines, bool whole);

/// What a line says of a kernel that gave up, without the node's own time: "Kernel panic - not
/// syncing: Attempted to kill init!". Empty: it does not say that.
/// source   Linux, kernel/panic.c
[[nodiscard]] std::string panic_in(std::string_view line);

/// The first such line of several.
[[nodiscard]] std::string panic_among(std::string_view lines);

}  // namespace weir::pool
