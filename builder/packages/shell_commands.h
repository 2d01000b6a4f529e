#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::builder {

/// One simple command, quotes taken off, without assignments and what it reads from.
struct ShellCommand {
  std::vector<std::string> words;   ///< none: what a group or loop writes
  std::vector<std::string> writes;  ///< files that its output goes to, none below /dev
  bool operator==(const ShellCommand&) const = default;
};

/// The simple commands of a POSIX shell script, whatever decides which of them would run:
/// conditions, loops and branches of `case` are only taken apart. They stand in the order of the
/// text, those of a command substitution before the command that uses it. Bodies of functions are
/// there once, calls of them are not. Words keep `$NAME` and `$(...)` as they are written; what
/// stands in a here-document or behind "#" is left out. It never fails: a script that is no shell
/// gives commands nobody knows.
///
/// source   POSIX.1-2017, Shell Command Language
[[nodiscard]] std::vector<ShellCommand> shell_commands(std::string_view script);

}  // namespace weir::builder
