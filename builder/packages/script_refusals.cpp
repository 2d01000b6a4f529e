#include "builder/packages/script_refusals.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "builder/packages/command_words.h"
#include "builder/packages/shell_cursor.h"
#include "builder/packages/shell_test.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

constexpr int kDeepestNesting = 48;  ///< constructs and calls within each other
constexpr int kMostSteps = 200'000;  ///< functions that call functions
constexpr std::size_t kShown = 60;   ///< bytes of a command

enum class Reach : std::uint8_t { no, maybe, yes };

Reach lower(Reach a, Reach b) {
  return std::min(a, b);
}

Reach reach_if(ShellStatus status) {
  if (status == ShellStatus::success) return Reach::yes;
  return status == ShellStatus::failure ? Reach::no : Reach::maybe;
}

std::string joined(const std::vector<std::string>& words, std::size_t from = 0) {
  std::string out;
  for (std::size_t i = from; i < words.size(); ++i) out += (i == from ? "" : " ") + words[i];
  return excerpt(out, kShown);
}

// As dash takes an exit status: modulo 256, and what is no number is an error.
std::optional<bool> is_success(const std::string& number) {
  if (number.find_first_of("$`") != std::string::npos) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  return error == std::errc{} && end == number.data() + number.size() && value % 256 == 0;
}

// Walks a script as a shell would, both ways where it cannot know which.
class Walk : private ShellCursor {
 public:
  explicit Walk(std::vector<ShellToken> tokens) : ShellCursor(std::move(tokens)) {}

  std::vector<ScriptRefusal> run(bool stops_on_errors) {
    errexit_ = stops_on_errors;
    const ShellStatus last = list();
    if (at_ < tokens_.size() || given_up_) {
      refuse(false, "its end, which is not understood");
    } else if (reach_ != Reach::no) {
      if (last == ShellStatus::failure) refuse(reach_ == Reach::yes, last_command_);
      if (last == ShellStatus::answer) refuse(false, last_question_);
    }
    const auto certain = std::find_if(refusals_.begin(), refusals_.end(),
                                      [](const ScriptRefusal& each) { return each.certain; });
    if (certain != refusals_.end()) return {*certain};
    return std::move(refusals_);
  }

 private:
  // What "exit" and "return" end.
  struct Frame {
    bool is_function = false, is_subshell = false;
    std::optional<ShellStatus> result{};  ///< of the ways that ended it so far
  };

  // How many ways have ended so far.
  struct Ends {
    int exits = 0, returns = 0, breaks = 0;
    bool operator==(const Ends&) const = default;
  };

  void refuse(bool certain, const std::string& command) {
    const bool known = std::any_of(refusals_.begin(), refusals_.end(), [&](const auto& each) {
      return each.command == command && each.said == said_ && (each.certain || !certain);
    });
    if (!known) refusals_.push_back({certain, command, said_});
  }

  // A way ends here: the script's, or the subshell's in which it is.
  void end(ShellStatus status, const std::string& command) {
    if (reach_ == Reach::no) return;
    Frame* subshell = nullptr;
    for (auto frame = frames_.rbegin(); frame != frames_.rend() && subshell == nullptr; ++frame) {
      if (frame->is_subshell) subshell = &*frame;
    }
    ++ends_.exits;
    if (subshell != nullptr) {
      subshell->result = subshell->result ? either(*subshell->result, status) : status;
    } else if (status == ShellStatus::failure && !excused_) {
      refuse(reach_ == Reach::yes, command);
    } else if (status == ShellStatus::answer && !excused_) {
      refuse(false, command);
    }
    reach_ = Reach::no;
  }

  // Runs `what` where it may be reached only so far, and tells how far it gets behind it.
  template <class What>
  Reach branch(Reach taken, What what) {
    const Reach before = reach_;
    const std::string said = said_;
    const Ends ends = ends_;
    reach_ = lower(before, taken);
    what();
    Reach after = std::exchange(reach_, before);
    said_ = said;
    // "maybe" is all that is known of where a branch began; what ends in it makes it less sure.
    if (after == Reach::maybe && ends_ == ends) after = lower(before, Reach::yes);
    return taken == Reach::no ? Reach::no : after;
  }

  // Where ways meet again, of which one was gone; `ends` before they parted.
  void join(Reach before, const std::vector<Reach>& ways, const Ends& ends) {
    const bool goes_on =
        std::any_of(ways.begin(), ways.end(), [](Reach way) { return way != Reach::no; });
    if (!goes_on) {
      reach_ = Reach::no;
    } else {
      reach_ = ends_ == ends ? before : lower(before, Reach::maybe);
    }
  }

  ShellStatus list() {
    ShellStatus status = ShellStatus::success;
    if (++depth_ > kDeepestNesting) given_up_ = true;
    while (at_ < tokens_.size() && !given_up_) {
      if (is_word(";") || is_word("&")) {
        ++at_;
        continue;
      }
      if (tokens_[at_].mark == ShellMark::substituted) {
        ++at_;
        continue;
      }
      if (is_word(";;") || is_mark(ShellMark::pattern) || is_mark(ShellMark::branch)) break;
      if (is_mark(ShellMark::keyword) && !opens(tokens_[at_].text) && !is_word("!") &&
          !is_word("time")) {
        break;
      }
      const std::size_t begin = at_;
      const bool runs = reach_ != Reach::no;
      const ShellStatus next = and_or();
      if (runs) status = next;
      if (at_ == begin) break;
    }
    --depth_;
    return status;
  }

  ShellStatus and_or() {
    ShellStatus status = pipeline();
    while ((is_word("&&") || is_word("||")) && !given_up_) {
      const bool wants = is_word("&&");
      ++at_;
      skip_newlines();
      const ShellStatus first = wants ? status : negation(status);
      const Reach before = reach_, taken = reach_if(first);
      const Ends ends = ends_;
      // That a program fails which has something to do is no decision of the script's.
      const bool excused = excused_;
      excused_ = excused_ || (!wants && status == ShellStatus::work);
      ShellStatus second = ShellStatus::success;
      last_status_ = wants ? ShellStatus::success : ShellStatus::failure;
      const Reach after = branch(taken, [&] { second = pipeline(); });
      excused_ = excused;
      if (taken == Reach::yes) {
        reach_ = after;
        status = second;
      } else if (taken == Reach::maybe) {
        join(before, {after, before}, ends);
        if (after == Reach::no) {
          if (!wants) status = ShellStatus::success;
        } else {
          status = wants ? both(status, second) : either_of(status, second);
        }
      }
    }
    if (is_word("&")) return ShellStatus::success;
    return status;
  }

  static ShellStatus both(ShellStatus a, ShellStatus b) {
    if (b == ShellStatus::failure) return ShellStatus::failure;
    return a == ShellStatus::answer || b == ShellStatus::answer ? ShellStatus::answer
                                                                : ShellStatus::work;
  }
  static ShellStatus either_of(ShellStatus a, ShellStatus b) {
    if (b == ShellStatus::success) return ShellStatus::success;
    return b == ShellStatus::failure ? a : (a == ShellStatus::work ? ShellStatus::work : b);
  }

  ShellStatus pipeline() {
    const bool condition = is_condition();
    bool negated = false;
    while (is_word("!") || is_word("time")) {
      negated = negated != is_word("!");
      ++at_;
    }
    const bool checked = condition || negated;
    if (checked) ++checked_;
    const bool several = has_pipe();
    ShellStatus status = several ? subshell([&] { return command(); }) : command();
    while (is_word("|") || is_word("|&")) {
      ++at_;
      skip_newlines();
      status = subshell([&] { return command(); });
    }
    if (checked) --checked_;
    if (negated) return negation(status);
    if (!condition) stop_on_error(status);
    return status;
  }

  void stop_on_error(ShellStatus status) {
    if (!errexit_ || checked_ > 0 || reach_ == Reach::no || is_word("&")) return;
    if (status == ShellStatus::failure) end(status, last_command_);
    if (status != ShellStatus::answer) return;
    const Reach before = reach_;
    reach_ = lower(reach_, Reach::maybe);
    end(status, last_question_);
    reach_ = lower(before, Reach::maybe);
  }

  template <class What>
  ShellStatus subshell(What what) {
    const Reach before = reach_;
    const bool errexit = errexit_;
    const Ends ends = ends_;
    frames_.push_back({false, true, {}});
    const ShellStatus last = what();
    const std::optional<ShellStatus> ended = frames_.back().result;
    frames_.pop_back();
    const bool falls_through = reach_ != Reach::no || before == Reach::no;
    reach_ = before;
    errexit_ = errexit;
    ends_ = ends;
    if (!ended) return last;
    return falls_through ? either(*ended, last) : *ended;
  }

  ShellStatus command() {
    if (++steps_ > kMostSteps) given_up_ = true;
    while (at_ < tokens_.size() && tokens_[at_].mark == ShellMark::substituted) ++at_;
    if (at_ >= tokens_.size() || given_up_) return ShellStatus::work;
    if (is_mark(ShellMark::function)) return defined();
    if (is_mark(ShellMark::command)) return simple();
    ShellStatus status = ShellStatus::work;
    if (take("if")) {
      status = conditional();
    } else if (is_word("while") || is_word("until")) {
      ++at_;
      status = loop(true);
    } else if (take("for")) {
      status = loop(false);
    } else if (take("{")) {
      status = list();
      expect("}");
    } else if (take("(")) {
      status = subshell([this] { return list(); });
      expect(")");
    }
    // A redirection of all of it stands behind it.
    if (is_mark(ShellMark::command) && tokens_[at_].command.words.empty() &&
        tokens_[at_].command.assignments.empty()) {
      ++at_;
    }
    return status;
  }

  void expect(std::string_view word) {
    if (!take(word)) given_up_ = true;
  }

  ShellStatus defined() {
    const std::string name = tokens_[at_++].text;
    skip_newlines();
    functions_[name] = at_;
    if (at_ >= tokens_.size() || tokens_[at_].mark != ShellMark::keyword ||
        closer_[at_] >= tokens_.size()) {
      given_up_ = true;
      return ShellStatus::work;
    }
    at_ = closer_[at_] + 1;
    return ShellStatus::success;
  }

  ShellStatus conditional() {
    const Reach before = reach_;
    const Ends ends = ends_;
    std::vector<Reach> ways;
    std::optional<ShellStatus> out;
    Reach left = Reach::yes;
    bool more = true;
    const auto add = [&](Reach way, ShellStatus status) {
      if (way != Reach::no) out = out ? either(*out, status) : status;
    };
    while (more && !given_up_) {
      ShellStatus asked{}, ran{};
      ++checked_;
      reach_ = lower(before, left);
      asked = list();
      --checked_;
      if (reach_ == Reach::no && left != Reach::no && before != Reach::no) left = Reach::no;
      reach_ = before;
      expect("then");
      const Reach taken = lower(left, reach_if(asked));
      last_status_ = ShellStatus::success;
      ways.push_back(branch(taken, [&] { ran = list(); }));
      add(ways.back(), ran);
      left = lower(left, reach_if(negation(asked)));
      more = take("elif");
    }
    if (take("else")) {
      ShellStatus ran{};
      last_status_ = ShellStatus::failure;
      ways.push_back(branch(left, [&] { ran = list(); }));
      add(ways.back(), ran);
    } else if (left != Reach::no) {
      ways.push_back(before);
      add(left, ShellStatus::success);
    }
    expect("fi");
    join(before, ways, ends);
    return out.value_or(ShellStatus::success);
  }

  ShellStatus loop(bool asks) {
    const Reach before = reach_;
    const Ends ends = ends_;
    if (asks) {
      ++checked_;
      (void)list();
      --checked_;
    } else {
      skip_newlines();
    }
    expect("do");
    ShellStatus status{};
    const Reach after = branch(Reach::maybe, [&] { status = list(); });
    expect("done");
    ends_.breaks = ends.breaks;
    reach_ = ends_ == ends ? before : lower(before, Reach::maybe);
    return after == Reach::no ? ShellStatus::success : either(status, ShellStatus::success);
  }

  // What "case" decides upon is in `words`.
  ShellStatus choice(const std::vector<std::string>& words) {
    const std::string word = words.size() > 1 ? words[1] : "$";
    const Reach before = reach_;
    const Ends ends = ends_;
    std::vector<Reach> ways;
    std::optional<ShellStatus> out;
    Reach left = Reach::yes;
    expect("case");
    while (!is_word("esac") && !given_up_) {
      if (is_word(";") || is_mark(ShellMark::substituted)) {
        ++at_;
        continue;
      }
      ShellStatus fits = ShellStatus::failure, ran{};
      if (!is_mark(ShellMark::pattern)) given_up_ = true;
      while (is_mark(ShellMark::pattern)) {
        const ShellStatus one = pattern_status(word, tokens_[at_++].text);
        if (one == ShellStatus::success || fits == ShellStatus::failure) fits = one;
      }
      if (!is_mark(ShellMark::branch)) given_up_ = true;
      if (given_up_) break;
      ++at_;
      const Reach taken = lower(left, reach_if(fits));
      ways.push_back(branch(taken, [&] { ran = list(); }));
      if (ways.back() != Reach::no) out = out ? either(*out, ran) : ran;
      left = lower(left, reach_if(negation(fits)));
      (void)take(";;");
    }
    expect("esac");
    if (left != Reach::no) {
      ways.push_back(before);
      out = out ? either(*out, ShellStatus::success) : ShellStatus::success;
    }
    join(before, ways, ends);
    return out.value_or(ShellStatus::success);
  }

  ShellStatus simple() {
    const ShellCommand& given = tokens_[at_++].command;
    std::vector<std::string> words = given.words;
    const bool is_replaced = !words.empty() && words.front() == "exec";
    while (!words.empty() && (words.front() == "exec" || words.front() == "command")) {
      if (words.size() > 1 && (words[1] == "-v" || words[1] == "-V")) {
        return asked(words);
      }
      words.erase(words.begin());
      while (!words.empty() && words.front() == "-p") words.erase(words.begin());
    }
    if (has_demand(given)) {
      const Reach before = std::exchange(reach_, lower(reach_, Reach::maybe));
      end(ShellStatus::answer, joined(given.words.empty() ? given.assignments : given.words));
      reach_ = lower(before, Reach::maybe);
    }
    if (words.empty()) return is_replaced ? ShellStatus::success : assigned(given);
    if (words.front() == "case") return choice(words);
    if (words.front() == "for") return ShellStatus::success;
    const std::string text = joined(given.words);
    if (reach_ != Reach::no) last_command_ = text;
    if (words.front() == "exit" || words.front() == "return") return ended(words, text);
    if (words.front() == "break" || words.front() == "continue") {
      if (reach_ != Reach::no) ++ends_.breaks;
      reach_ = Reach::no;
      return ShellStatus::success;
    }
    if (words.front() == "set") sets(words);
    if (reach_ != Reach::no && (words.front() == "echo" || words.front() == "printf")) {
      said_ = joined(words, 1);
    }
    const auto function = functions_.find(words.front());
    if (function != functions_.end() && !is_replaced) return called(function->second, text);
    const ShellStatus status = command_status(words);
    if (reach_ == Reach::no) return status;
    if (is_replaced) end(status, text);
    if (status == ShellStatus::answer) last_question_ = text;
    return last_status_ = status;
  }

  ShellStatus asked(const std::vector<std::string>& words) {
    if (reach_ != Reach::no) last_command_ = last_question_ = joined(words);
    return last_status_ = ShellStatus::answer;
  }

  // The status of "A=$(b)" is b's.
  ShellStatus assigned(const ShellCommand& given) {
    const bool substitutes =
        std::any_of(given.assignments.begin(), given.assignments.end(), [](const auto& each) {
          return each.find("$(") != std::string::npos || each.find('`') != std::string::npos;
        });
    if (!substitutes) return last_status_ = ShellStatus::success;
    last_status_ = ShellStatus::work;
    if (at_ > 1 && tokens_[at_ - 2].mark == ShellMark::substituted) {
      const auto& words = tokens_[at_ - 2].command.words;
      // What counts ends with 1 at 0, and nobody asks.
      if (!words.empty() && words.front() != "expr") last_status_ = command_status(words);
    }
    if (reach_ != Reach::no) last_command_ = last_question_ = joined(given.assignments);
    return last_status_;
  }

  // "${NAME:?}" ends a script where nobody set NAME.
  [[nodiscard]] static bool has_demand(const ShellCommand& given) {
    const auto demands = [](const std::string& word) {
      for (auto at = word.find("${"); at != std::string::npos; at = word.find("${", at + 1)) {
        const auto end = word.find_first_of(":?}-+=#%", at + 2);
        if (end == std::string::npos) continue;
        if (word[end] == '?' || word.compare(end, 2, ":?") == 0) return true;
      }
      return false;
    };
    return std::any_of(given.words.begin(), given.words.end(), demands) ||
           std::any_of(given.assignments.begin(), given.assignments.end(), demands);
  }

  void sets(const std::vector<std::string>& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (word == "--" || word.size() < 2) break;
      const bool on = word[0] == '-';
      if (!on && word[0] != '+') break;
      const bool named = word[1] == 'o' && i + 1 < words.size() && words[i + 1] == "errexit";
      if (word.find('e') != std::string::npos || named) errexit_ = on;
    }
  }

  ShellStatus ended(const std::vector<std::string>& words, const std::string& text) {
    ShellStatus status = last_status_;
    if (words.size() > 1 && words[1] != "$?") {
      const auto success = is_success(words[1]);
      status =
          !success ? ShellStatus::answer : (*success ? ShellStatus::success : ShellStatus::failure);
    }
    if (words.front() == "return" && !frames_.empty() && frames_.back().is_function) {
      if (reach_ == Reach::no) return status;
      auto& result = frames_.back().result;
      result = result ? either(*result, status) : status;
      ++ends_.returns;
      reach_ = Reach::no;
      return status;
    }
    end(status, text);
    return status;
  }

  ShellStatus called(std::size_t body, const std::string& text) {
    if (depth_ > kDeepestNesting) given_up_ = true;
    if (given_up_) return ShellStatus::work;
    const std::size_t back = std::exchange(at_, body);
    const Reach before = reach_;
    const Ends ends = ends_;
    frames_.push_back({true, false, {}});
    ++depth_;
    const ShellStatus last = command();
    --depth_;
    const auto returned = frames_.back().result;
    frames_.pop_back();
    at_ = back;
    last_command_ = text;
    const bool falls_through = reach_ != Reach::no;
    ends_.returns = ends.returns;
    if (returned) reach_ = ends_ == ends ? before : lower(before, Reach::maybe);
    if (!returned) return last_status_ = last;
    return last_status_ = falls_through ? either(*returned, last) : *returned;
  }

  Reach reach_ = Reach::yes;
  bool errexit_ = false, excused_ = false, given_up_ = false;
  int checked_ = 0;  ///< within how many conditions, where errors stop nothing
  int depth_ = 0, steps_ = 0;
  Ends ends_;
  ShellStatus last_status_ = ShellStatus::success;
  std::string said_, last_command_;
  std::string last_question_;                     ///< that may be answered either way
  std::map<std::string, std::size_t> functions_;  ///< where their bodies begin
  std::vector<Frame> frames_;
  std::vector<ScriptRefusal> refusals_;
};

}  // namespace

std::vector<ScriptRefusal> refusals_of(std::string_view script, std::string_view name) {
  // Debian policy 6.5: `new-preinst install`, `postinst configure ""`.
  std::vector<std::string> arguments = {name == "preinst" ? "install" : "configure", ""};
  const std::string_view first = script.substr(0, script.find('\n'));
  const bool stops = first.starts_with("#!") && first.find(" -") != std::string_view::npos &&
                     first.substr(first.find(" -")).find('e') != std::string_view::npos;
  return Walk(shell_tokens(script, std::move(arguments))).run(stops);
}

std::string print(const ScriptRefusal& refusal) {
  std::string out = refusal.certain ? "refuses to be installed: " : "may refuse to be installed: ";
  out += refusal.command;
  if (!refusal.said.empty()) out += ", saying " + quotation(refusal.said);
  return out;
}

}  // namespace weir::builder
