#include "builder/packages/shell_commands.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <set>
#include <utility>

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

bool is_assignment(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// Takes a script apart, character by character.
class Reader {
 public:
  explicit Reader(std::string_view text, int depth = 0) : text_(text), depth_(depth) {}

  std::vector<ShellCommand> read() {
    while (at_ < text_.size()) step();
    end_command();
    std::erase_if(commands_, [&](const ShellCommand& each) {
      return each.writes.empty() && functions_.contains(each.words.front());
    });
    return std::move(commands_);
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
      end_command();
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
    if (c == '\'') {
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
    } else if (!substitution()) {
      word_ += c;
      ++at_;
    }
  }

  void part_of_quotation() {
    if (is_at("\\\n")) {
      at_ += 2;
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
      auto inner = Reader(whole.substr(begin, whole.size() - begin - 1), depth_ + 1).read();
      std::move(inner.begin(), inner.end(), std::back_inserter(commands_));
    }
    word_ += whole;
    at_ = end + 1;
    return true;
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
    const bool ends_branch = is_at(";;");
    while (at_ < text_.size() && std::string_view(";|&").find(now()) != std::string_view::npos) {
      ++at_;
    }
    end_command();
    in_patterns_ = ends_branch && cases_ > 0;
  }

  void bracket() {
    const char c = now();
    ++at_;
    if (in_patterns_) {  // "(" may stand before patterns
      end_word();
      in_patterns_ = c != ')';
      return;
    }
    if (c == '(' && command_.words.empty() && !word_.empty() && is_at(")")) {
      functions_.insert(std::exchange(word_, {}));
      in_word_ = false;
      ++at_;
      return;
    }
    end_command();
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

  void here_document() {
    end_word();
    at_ += 2;
    if (at_ < text_.size() && now() == '-') ++at_;
    here_.push_back(next_word());
  }

  std::string next_word() {
    while (at_ < text_.size() && is_blank(now())) ++at_;
    while (at_ < text_.size() && !is_blank(now()) &&
           kEndOfWord.find(now()) == std::string_view::npos) {
      part_of_word();
    }
    in_word_ = false;
    return std::exchange(word_, {});
  }

  void skip_here_documents() {
    for (const std::string& mark : here_) {
      while (at_ < text_.size()) {
        const auto end = std::min(text_.find('\n', at_), text_.size());
        std::string_view line = text_.substr(at_, end - at_);
        at_ = std::min(end + 1, text_.size());
        line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
        if (line == mark) break;
      }
    }
    here_.clear();
  }

  void drop_word() {
    word_.clear();
    in_word_ = false;
  }

  void end_word() {
    if (!std::exchange(in_word_, false)) return;
    std::string word = std::exchange(word_, {});
    auto& words = command_.words;
    if (in_patterns_ || words.empty()) {
      if (word == "esac" && cases_ > 0) {
        in_patterns_ = false;
        --cases_;
        return;
      }
      if (in_patterns_ || is_keyword(word) || is_assignment(word)) return;
    }
    words.push_back(std::move(word));
    if (words.front() == "case" && words.size() == 3 && words.back() == "in") {
      words.clear();
      ++cases_;
      in_patterns_ = true;
    }
  }

  void end_command() {
    end_word();
    // What a loop goes through is no command.
    if (!command_.words.empty() && command_.words.front() == "for") command_.words.clear();
    if (!command_.words.empty() || !command_.writes.empty()) {
      commands_.push_back(std::move(command_));
    }
    command_ = {};
  }

  std::string_view text_;
  int depth_;
  std::size_t at_ = 0;
  std::string word_;
  bool in_word_ = false;
  ShellCommand command_;
  std::vector<ShellCommand> commands_;
  std::set<std::string> functions_;
  std::vector<std::string> here_;
  int cases_ = 0;
  bool in_patterns_ = false;  ///< between "in" or ";;" and ")"
};

}  // namespace

std::vector<ShellCommand> shell_commands(std::string_view script) {
  return Reader(script).read();
}

}  // namespace weir::builder
