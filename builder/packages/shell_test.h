#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::builder {

/// How a command ends, as far as its text tells.
enum class ShellStatus : std::uint8_t {
  success,
  failure,
  answer,  ///< either: it is a question
  work,    ///< either: it has something to do, which may fail
};

[[nodiscard]] ShellStatus negation(ShellStatus status);

/// What stands for both, where either may be.
[[nodiscard]] ShellStatus either(ShellStatus a, ShellStatus b);

/// Of `test` with these arguments: those that compare texts, where no substitution is left in
/// them. source: POSIX.1-2017, test
[[nodiscard]] ShellStatus test_status(const std::vector<std::string>& arguments);

/// Of one simple command by itself, that neither ends a script nor calls one of its functions.
/// words   not empty
[[nodiscard]] ShellStatus command_status(const std::vector<std::string>& words);

/// Whether the word of a "case" fits a pattern.
[[nodiscard]] ShellStatus pattern_status(const std::string& word, const std::string& pattern);

}  // namespace weir::builder
