#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "builder/packages/shell_commands.h"

namespace weir::builder {

/// A place in a script's tokens, and what can be told of them from there without running anything.
class ShellCursor {
 protected:
  explicit ShellCursor(std::vector<ShellToken> tokens);

  [[nodiscard]] bool is_mark(ShellMark mark) const;
  /// Whether a keyword or separator stands here.
  [[nodiscard]] bool is_word(std::string_view text) const;
  bool take(std::string_view text);
  void skip_newlines();

  /// "if", "{", "(" and their like; "fi", "}" and theirs.
  [[nodiscard]] static bool opens(std::string_view keyword);
  [[nodiscard]] static bool closes(std::string_view keyword);

  /// Whether the pipeline that begins here only decides whether what follows it runs.
  [[nodiscard]] bool is_condition() const;
  /// Whether the command that begins here is the first of several of a pipeline.
  [[nodiscard]] bool has_pipe() const;

  std::vector<ShellToken> tokens_;
  std::vector<std::size_t> closer_;  ///< by the place of what opens; past the end: none
  std::size_t at_ = 0;

 private:
  void find_closers();
};

}  // namespace weir::builder
