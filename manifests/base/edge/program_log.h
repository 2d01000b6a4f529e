#pragma once

#include <string_view>

/// What programs say beside their results: lines on stderr, whole ones, from any thread; text from
/// outside is printable(). For `main` and the drivers of commands.
namespace weir {

/// Begins the log of a program: `name` stands before its lines, "weir-builder build". Steps count
/// their time from the first call.
void start_log(std::string_view name);

/// "weir-builder build: LINE": errors and remarks.
void log_line(std::string_view line);

/// "[   1.23 s] LINE": how far something is that takes long.
void log_step(std::string_view line);

}  // namespace weir
