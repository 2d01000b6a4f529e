#include "builder/packages/shell_commands.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "builder/packages/shell_variables.h"
#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

constexpr int kDeepest = 8;  ///< substitutions within substitutions; what is deeper stays a word
constexpr std::string_view kEndOfWord = "\n;|&()<>";

constexpr std::array<std::string_view, 17> kKeywords = {
    "if",   "then", "else", "elif", "fi", "do", "done", "while", "until",
    "esac", "{",    "}",    "!",    "(",  ")",  "time", "eval"};

bool is_keyword(std::string_view word) {
  return std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end();
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// What closes it; empty for what opens nothing.
std::string_view closer_of(std::string_view keyword) {
  if (keyword == "if") return "fi";
  if (keyword == "while" || keyword == "until" || keyword == "for") return "done";
  if (keyword == "case") return "esac";
  if (keyword == "{") return "}";
  return keyword == "(" ? ")" : "";
}

// Takes a script apart, character by character.
class Reader {
 public:
  /// remembers   whether it is the second reading
  Reader(std::string_view text, ShellVariables& variables, bool remembers, int depth = 0)
      : text_(text), variables_(variables), remembers_(remembers), depth_(depth) {}

  std::vector<ShellToken> read() {
    while (at_ < text_.size()) step();
    end_command(";");
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char now() const { return text_[at_]; }
  [[nodiscard]] bool is_at(std::string_view what) const {
    return text_.substr(at_).starts_with(what);
  }

  void step() {
    const char c = now();
    if (is_at("\\\n")) {
      at_ += 2;
    } else if (c == '\n') {
      ++at_;
      end_command(";");
      skip_here_documents();
    } else if (is_blank(c)) {
      ++at_;
      end_word();
    } else if (c == '#' && !in_word_) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (is_at("<<") && !is_at("<<<")) {
      here_document();
    } else if (c == '<' || c == '>') {
      redirection();
    } else if (c == ';' || c == '|' || c == '&') {
      separator();
    } else if (c == '(' || c == ')') {
      bracket();
    } else {
      in_word_ = true;
      part_of_word();
    }
  }

  void part_of_word() {
    const char c = now();
    if (is_at("\\\n")) {
      at_ += 2;
    } else if (c == '\'') {
      const auto end = std::min(text_.find('\'', at_ + 1), text_.size());
      word_ += text_.substr(at_ + 1, end - at_ - 1);
      at_ = std::min(end + 1, text_.size());
    } else if (c == '"') {
      ++at_;
      while (at_ < text_.size() && now() != '"') part_of_quotation();
      at_ = std::min(at_ + 1, text_.size());
    } else if (c == '\\' && at_ + 1 < text_.size()) {
      word_ += text_[at_ + 1];
      at_ += 2;
    } else if (const auto value = is_split() && !variables_.splits() ? std::nullopt : variable()) {
      add_fields(*value);
    } else if (!substitution()) {
      word_ += c;
      ++at_;
    }
  }

  // "$NAME" or "${NAME}", where its value is known.
  std::optional<std::string> variable() {
    if (now() != '$' || !remembers_) return std::nullopt;
    const bool braces = is_at("${");
    const std::size_t begin = at_ + (braces ? 2 : 1);
    std::size_t end = begin;
    while (end < text_.size() && is_name_character(text_[end])) {
      ++end;
      // "$12" is "$1" and a "2".
      if (!braces && is_digit(text_[begin])) break;
    }
    if (braces && (end == text_.size() || text_[end] != '}')) return std::nullopt;
    auto value = variables_.value(text_.substr(begin, end - begin), functions_open_ > 0);
    if (value) at_ = end + (braces ? 1 : 0);
    return value;
  }

  // Whether blanks in a value that stands here without quotes end words.
  [[nodiscard]] bool is_split() const {
    return !is_target_ && !is_assignment(word_) &&
           (command_.words.empty() || command_.words.front() != "case");
  }

  void add_fields(const std::string& value) {
    if (!is_split()) {
      word_ += value;
      return;
    }
    in_word_ = !word_.empty();
    for (const char c : value) {
      if (is_blank(c) || c == '\n') {
        end_word();
      } else {
        word_ += c;
        in_word_ = is_value_ = true;
      }
    }
  }

  void part_of_quotation() {
    if (is_at("\\\n")) {
      at_ += 2;
    } else if (const auto value = variable()) {
      word_ += *value;
    } else if (!substitution()) {
      if (now() == '\\' && at_ + 1 < text_.size()) ++at_;
      word_ += text_[at_++];
    }
  }

  // "$(...)", "${...}" and "`...`" stay in their word as they are; what the first and the last run
  // stands among the commands. One without an end is text as any other.
  bool substitution() {
    if (now() != '`' && !is_at("$(") && !is_at("${")) return false;
    const bool old = now() == '`';
    const auto end = old ? text_.find('`', at_ + 1) : end_of_nested();
    if (end == std::string_view::npos) return false;
    const std::string_view whole = text_.substr(at_, end + 1 - at_);
    if (!whole.starts_with("${") && depth_ < kDeepest) {
      const std::size_t begin = old ? 1 : 2;
      add_substituted(whole.substr(begin, whole.size() - begin - 1));
    }
    count_changes(whole);
    word_ += whole;
    at_ = end + 1;
    return true;
  }

  void add_substituted(std::string_view script) {
    Reader inner(script, variables_, remembers_, depth_ + 1);
    inner.functions_open_ = functions_open_;
    for (ShellToken& token : inner.read()) {
      if (token.mark != ShellMark::command && token.mark != ShellMark::substituted) continue;
      token.mark = ShellMark::substituted;
      tokens_.push_back(std::move(token));
    }
  }

  // "${NAME=value}" and "$((NAME = 1))" assign.
  void count_changes(std::string_view whole) {
    const bool sum = whole.starts_with("$((");
    if (remembers_ || (!sum && !whole.starts_with("${"))) return;
    for (std::size_t begin = 2; begin < whole.size(); ++begin) {
      if (!is_name_character(whole[begin])) continue;
      std::size_t end = begin;
      while (end < whole.size() && is_name_character(whole[end])) ++end;
      const auto behind = whole.substr(end);
      if (sum || behind.starts_with("=") || behind.starts_with(":=")) {
        variables_.count_change(whole.substr(begin, end - begin));
      }
      begin = end;
    }
  }

  // Where the bracket behind "$" is closed.
  [[nodiscard]] std::size_t end_of_nested() const {
    const char open = text_[at_ + 1], close = open == '(' ? ')' : '}';
    int depth = 0;
    char quote = 0;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '\\' && quote != '\'') {
        ++i;
      } else if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == open) {
        ++depth;
      } else if (c == close && --depth == 0) {
        return i;
      }
    }
    return std::string_view::npos;
  }

  void separator() {
    if (in_patterns_) {  // "configure|reconfigure)"
      ++at_;
      end_word();
      return;
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::string_view(";|&").find(now()) != std::string_view::npos) {
      ++at_;
    }
    const std::string_view separator = text_.substr(begin, at_ - begin);
    end_command(separator);
    in_patterns_ = separator.starts_with(";;") && cases_ > 0;
  }

  void bracket() {
    const char c = now();
    ++at_;
    if (in_patterns_) {  // "(" may stand before patterns
      end_word();
      in_patterns_ = c != ')';
      if (!in_patterns_) add(ShellMark::branch, ")");
      return;
    }
    if (c == '(' && word_.ends_with('='))
      variables_.count_change(word_.substr(0, word_.size() - 1));
    if (c == '(' && command_.words.empty() && begins_function()) return;
    end_command("");
    keyword(std::string(1, c));
  }

  // "NAME ()", at the first bracket's other side.
  bool begins_function() {
    std::size_t close = at_;
    while (close < text_.size() && is_blank(text_[close])) ++close;
    if (close == text_.size() || text_[close] != ')') return false;
    if (word_.empty() || is_assignment(word_)) return false;
    add(ShellMark::function, std::exchange(word_, {}));
    in_word_ = false;
    is_body_next_ = true;
    at_ = close + 1;
    return true;
  }

  void add(ShellMark mark, std::string text) { tokens_.push_back({mark, std::move(text), {}}); }

  void keyword(const std::string& word) {
    add(ShellMark::keyword, word);
    if (const auto closer = closer_of(word); !closer.empty()) {
      open_.push_back({closer, std::exchange(is_body_next_, false)});
      functions_open_ += open_.back().is_body ? 1 : 0;
    } else if (!open_.empty() && open_.back().closer == word) {
      functions_open_ -= open_.back().is_body ? 1 : 0;
      open_.pop_back();
    } else if (word == "fi" || word == "done" || word == "esac" || word == "}" || word == ")") {
      open_.push_back({"nothing", false});  // whatever is read from here on is not at the top
    }
  }

  void redirection() {
    const bool writes = text_[at_] == '>' || is_at("<>");
    const bool both = is_at(">&");  // another descriptor, or none
    // A descriptor's number before it belongs to it.
    if (in_word_ && word_.find_first_not_of("0123456789") == std::string::npos) drop_word();
    end_word();
    while (at_ < text_.size() && std::string_view("<>&|").find(now()) != std::string_view::npos) {
      ++at_;
    }
    const std::string target = next_word();
    const bool descriptor = both && target.find_first_not_of("0123456789-") == std::string::npos;
    if (writes && !descriptor && !target.starts_with("/dev/")) command_.writes.push_back(target);
  }

  // What stands behind "<<". In bash's "((1 << 2))" it shifts.
  void here_document() {
    const auto line = text_.substr(0, at_).rfind('\n') + 1;
    const std::string_view before = text_.substr(line, at_ - line);
    const auto sum = before.rfind("((");
    const bool shifts =
        sum != std::string_view::npos && before.find("))", sum) == std::string_view::npos;
    end_word();
    at_ += 2;
    if (shifts) return;
    HereDocument document;
    document.tabs = at_ < text_.size() && now() == '-';
    if (document.tabs) ++at_;
    const std::size_t begin = at_;
    document.mark = next_word();
    document.plain = text_.substr(begin, at_ - begin).find_first_of("'\"\\") == std::string::npos;
    here_.push_back(std::move(document));
  }

  std::string next_word() {
    is_target_ = true;
    while (at_ < text_.size() && is_blank(now())) ++at_;
    while (at_ < text_.size() && !is_blank(now()) &&
           kEndOfWord.find(now()) == std::string_view::npos) {
      part_of_word();
    }
    in_word_ = is_target_ = is_value_ = false;
    return std::exchange(word_, {});
  }

  // Their texts change nothing; what they substitute is run.
  void skip_here_documents() {
    for (const HereDocument& document : std::exchange(here_, {})) {
      const std::size_t begin = at_;
      std::size_t end_of_text = text_.size();
      bool joined = false;  // with the line before it
      while (at_ < text_.size()) {
        const std::size_t start = at_;
        const auto end = std::min(text_.find('\n', at_), text_.size());
        std::string_view line = text_.substr(at_, end - at_);
        at_ = std::min(end + 1, text_.size());
        if (document.tabs) {
          line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
        }
        if (!joined && line == document.mark) {
          end_of_text = start;
          break;
        }
        const auto last = line.find_last_not_of('\\');
        const auto slashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
        joined = document.plain && slashes % 2 == 1;
      }
      if (document.plain) substituted_in(begin, end_of_text);
    }
  }

  void substituted_in(std::size_t begin, std::size_t end) {
    const std::string_view whole = std::exchange(text_, text_.substr(0, end));
    const std::size_t behind = std::exchange(at_, begin);
    std::string word = std::exchange(word_, {});
    while (at_ < text_.size()) part_of_quotation();
    word_ = std::move(word);
    text_ = whole;
    at_ = behind;
  }

  void drop_word() {
    word_.clear();
    in_word_ = false;
  }

  void end_word() {
    const bool is_value = std::exchange(is_value_, false);
    if (!std::exchange(in_word_, false)) return;
    std::string word = std::exchange(word_, {});
    auto& words = command_.words;
    if (!is_value && (in_patterns_ || words.empty()) && word == "esac" && cases_ > 0) {
      in_patterns_ = false;
      --cases_;
      keyword(word);
      return;
    }
    if (in_patterns_) {
      add(ShellMark::pattern, std::move(word));
      return;
    }
    if (!is_value && words.empty() && command_.assignments.empty() && is_keyword(word)) {
      if (word == "eval") {
        variables_.count({}, {word});
      } else {
        keyword(word);
      }
      return;
    }
    if (!is_value && words.empty() && is_assignment(word)) {
      command_.assignments.push_back(std::move(word));
      return;
    }
    words.push_back(std::move(word));
    if (words.front() == "case" && words.size() == 3 && words.back() == "in") {
      words.pop_back();
      tokens_.push_back({ShellMark::command, {}, std::exchange(command_, {})});
      keyword("case");
      ++cases_;
      in_patterns_ = true;
    }
  }

  void end_command(std::string_view separator) {
    end_word();
    auto& [words, writes, assignments] = command_;
    if (!words.empty() || !assignments.empty()) {
      if (!remembers_) variables_.count(assignments, words);
      const bool in_subshell = separator == "|" || separator == "&" || separator == "|&";
      if (remembers_ && words.empty() && writes.empty() && depth_ == 0 && open_.empty() &&
          is_sure_ && !in_subshell) {
        for (const std::string& each : assignments) variables_.assign(each);
      }
    }
    const bool is_loop = !words.empty() && words.front() == "for";
    const bool is_something = !words.empty() || !writes.empty() || !assignments.empty();
    if (is_something) tokens_.push_back({ShellMark::command, {}, std::move(command_)});
    if (is_loop) keyword("for");
    command_ = {};
    if (separator.empty()) return;
    // A newline behind "&&" only goes on.
    if (is_something || separator != ";") is_sure_ = separator == ";" || separator == "&";
    add(ShellMark::separator, std::string(separator));
  }

  struct Open {
    std::string_view closer;
    bool is_body;  ///< of a function
  };

  std::string_view text_;
  ShellVariables& variables_;
  bool remembers_;
  int depth_;
  std::size_t at_ = 0;
  std::string word_;
  bool in_word_ = false;
  bool is_value_ = false;   ///< something of the word is a variable's value
  bool is_target_ = false;  ///< of a redirection: its values are not split
  ShellCommand command_;
  std::vector<ShellToken> tokens_;
  std::vector<Open> open_;
  int functions_open_ = 0;
  bool is_body_next_ = false;
  bool is_sure_ = true;  ///< nothing on the line decides whether the next command runs
  struct HereDocument {
    std::string mark;
    bool tabs = false;   ///< "<<-"
    bool plain = false;  ///< the mark stands without quotes: the text is expanded
  };
  std::vector<HereDocument> here_;
  int cases_ = 0;
  bool in_patterns_ = false;  ///< between "in" or ";;" and ")"
};

}  // namespace

std::vector<ShellToken> shell_tokens(std::string_view script, std::vector<std::string> arguments) {
  ShellVariables variables(std::move(arguments));
  (void)Reader(script, variables, false).read();
  return Reader(script, variables, true).read();
}

std::vector<ShellCommand> shell_commands(std::string_view script) {
  std::vector<ShellCommand> out;
  std::set<std::string> functions;
  for (ShellToken& token : shell_tokens(script)) {
    if (token.mark == ShellMark::function) functions.insert(token.text);
    const bool is_command =
        token.mark == ShellMark::command || token.mark == ShellMark::substituted;
    auto& [words, writes, assignments] = token.command;
    if (!is_command || (words.empty() && writes.empty())) continue;
    if (!words.empty() && (words.front() == "for" || words.front() == "case")) continue;
    assignments.clear();
    out.push_back(std::move(token.command));
  }
  std::erase_if(out, [&](const ShellCommand& each) {
    return each.writes.empty() && functions.contains(each.words.front());
  });
  return out;
}

}  // namespace weir::builder
