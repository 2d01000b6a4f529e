#include "builder/packages/shell_cursor.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::builder {
namespace {

bool is_pipe(std::string_view separator) {
  return separator == "|" || separator == "|&";
}

}  // namespace

ShellCursor::ShellCursor(std::vector<ShellToken> tokens) : tokens_(std::move(tokens)) {
  find_closers();
}

bool ShellCursor::is_mark(ShellMark mark) const {
  return at_ < tokens_.size() && tokens_[at_].mark == mark;
}

bool ShellCursor::is_word(std::string_view text) const {
  return at_ < tokens_.size() && tokens_[at_].text == text &&
         (tokens_[at_].mark == ShellMark::keyword || tokens_[at_].mark == ShellMark::separator);
}

bool ShellCursor::take(std::string_view text) {
  if (!is_word(text)) return false;
  ++at_;
  return true;
}

void ShellCursor::skip_newlines() {
  while (is_word(";")) ++at_;
}

bool ShellCursor::opens(std::string_view keyword) {
  constexpr std::array<std::string_view, 7> kOpen = {"if",   "while", "until", "for",
                                                     "case", "{",     "("};
  return std::find(kOpen.begin(), kOpen.end(), keyword) != kOpen.end();
}

bool ShellCursor::closes(std::string_view keyword) {
  constexpr std::array<std::string_view, 5> kClose = {"fi", "done", "esac", "}", ")"};
  return std::find(kClose.begin(), kClose.end(), keyword) != kClose.end();
}

void ShellCursor::find_closers() {
  closer_.assign(tokens_.size(), tokens_.size());
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].mark != ShellMark::keyword) continue;
    if (opens(tokens_[i].text)) {
      open.push_back(i);
    } else if (closes(tokens_[i].text) && !open.empty()) {
      closer_[open.back()] = i;
      open.pop_back();
    }
  }
}

bool ShellCursor::is_condition() const {
  for (std::size_t i = at_; i < tokens_.size(); ++i) {
    const auto& [mark, text, command] = tokens_[i];
    if (mark == ShellMark::separator && !is_pipe(text)) return text == "&&" || text == "||";
    if (mark == ShellMark::keyword && closes(text)) return false;
    if (mark == ShellMark::keyword && opens(text)) i = closer_[i];
  }
  return false;
}

bool ShellCursor::has_pipe() const {
  for (std::size_t i = at_; i < tokens_.size(); ++i) {
    const auto& [mark, text, command] = tokens_[i];
    if (mark == ShellMark::separator) return is_pipe(text);
    if (mark == ShellMark::keyword && closes(text)) return false;
    if (mark == ShellMark::keyword && opens(text)) i = closer_[i];
  }
  return false;
}

}  // namespace weir::builder
