#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::builder {

/// "NAME=value" as a shell takes it before a command.
[[nodiscard]] bool is_assignment(std::string_view word);

/// The variables of a script whose value its text tells: assigned exactly once, at the top level,
/// unconditionally, to a text without substitutions other than of such variables. Nothing is known
/// in a script that may change them out of sight (eval, files that it sources other than debconf's
/// confmodule).
///
/// A script is read twice: the first reading counts, the second remembers values as it meets them.
class ShellVariables {
 public:
  /// arguments   of the script, where they count: "$1" is the first
  explicit ShellVariables(std::vector<std::string> arguments = {})
      : arguments_(std::move(arguments)) {}

  /// First reading: `words` are a command with its assignments before it.
  void count(const std::vector<std::string>& assignments, const std::vector<std::string>& words);
  /// First reading: "${NAME:=value}" and whatever else may change a variable.
  void count_change(std::string_view name) { times_[std::string(name)] += 2; }

  /// Second reading: an assignment at the top level.
  void assign(std::string_view assignment);

  /// Whether a value ends words at its blanks.
  [[nodiscard]] bool splits() const { return splits_; }

  /// The value of what follows "$": a name or a digit.
  [[nodiscard]] std::optional<std::string> value(std::string_view name, bool in_function) const;

 private:
  std::vector<std::string> arguments_;
  bool lost_ = false;     ///< nothing is known
  bool shifted_ = false;  ///< no argument is
  bool splits_ = true;    ///< words end at blanks, as long as nobody says otherwise
  std::map<std::string, int, std::less<>> times_;
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace weir::builder
