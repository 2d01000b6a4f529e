#pragma once

#include <functional>

namespace weir {

/// What a program's `main` does and returns, with an end for want of memory that is a refusal like
/// any other: a line that begins with `program`, and exit status 1. In the calling thread what was
/// begun is undone on the way out; in another the process ends where it stands, as if killed.
///
/// program   outlives the process
[[nodiscard]] int run_program(const char* program, const std::function<int()>& run);

}  // namespace weir
