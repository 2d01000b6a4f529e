#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::builder {

/// One simple command, quotes taken off, without what it reads from.
struct ShellCommand {
  std::vector<std::string> words;   ///< without assignments; none: what a group or loop writes
  std::vector<std::string> writes;  ///< files that its output goes to, none below /dev
  std::vector<std::string> assignments{};  ///< "NAME=value", as they stand before the words
  bool operator==(const ShellCommand&) const = default;
};

enum class ShellMark : std::uint8_t {
  command,      ///< `command`; "for" and what it goes through, "case" and its word too
  substituted,  ///< `command`, of a command substitution that belongs to the next command
  separator,    ///< `text`: ";" (a newline too), "&&", "||", "|", "&", ";;"
  keyword,      ///< `text`: "if", "{", "!", "(", "esac"
  pattern,      ///< `text`: one of a branch of "case"
  branch,       ///< the ")" behind patterns
  function,     ///< `text`: its name; what follows is its body
};

struct ShellToken {
  ShellMark mark{};
  std::string text{};
  ShellCommand command{};
};

/// A POSIX shell script as its grammar sees it. Words keep `$NAME` and `$(...)` as they are
/// written, except for variables whose value the text tells (`ShellVariables`): these stand there
/// with their value, split as a shell splits it. What stands in a here-document or behind "#" is
/// left out, but for what the former substitutes. It never fails: a script that is no shell gives
/// commands nobody knows.
///
/// arguments   of the script where they count, "$1" first
/// source      POSIX.1-2017, Shell Command Language
[[nodiscard]] std::vector<ShellToken> shell_tokens(std::string_view script,
                                                   std::vector<std::string> arguments = {});

/// Its simple commands, whatever decides which of them would run. They stand in the order of the
/// text, those of a command substitution before the command that uses it. Bodies of functions are
/// there once, calls of them are not.
[[nodiscard]] std::vector<ShellCommand> shell_commands(std::string_view script);

}  // namespace weir::builder
