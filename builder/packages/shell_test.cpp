#include "builder/packages/shell_test.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "builder/packages/command_words.h"
#include "manifests/documents/image_manifest.h"

namespace weir::builder {
namespace {

ShellStatus status_of(bool success) {
  return success ? ShellStatus::success : ShellStatus::failure;
}

// Nothing in it was to be substituted, or is lost.
bool is_known(const std::string& word) {
  return word.find_first_of("$`") == std::string::npos;
}

ShellStatus conjunction(ShellStatus a, ShellStatus b) {
  if (a == ShellStatus::failure || b == ShellStatus::failure) return ShellStatus::failure;
  return a == ShellStatus::success ? b : ShellStatus::answer;
}

ShellStatus primary(const Words& words) {
  if (words.empty()) return ShellStatus::failure;
  if (!std::all_of(words.begin(), words.end(), is_known)) return ShellStatus::answer;
  if (words.size() == 1) return status_of(!words[0].empty());
  if (words.size() == 3) {
    if (words[1] == "=" || words[1] == "==") return status_of(words[0] == words[2]);
    if (words[1] == "!=") return status_of(words[0] != words[2]);
  }
  if (words.front() == "!") return negation(primary({words.begin() + 1, words.end()}));
  if (words.size() == 2 && words[0] == "-n") return status_of(!words[1].empty());
  if (words.size() == 2 && words[0] == "-z") return status_of(words[1].empty());
  return ShellStatus::answer;
}

}  // namespace

ShellStatus negation(ShellStatus status) {
  if (status == ShellStatus::success) return ShellStatus::failure;
  return status == ShellStatus::failure ? ShellStatus::success : status;
}

ShellStatus either(ShellStatus a, ShellStatus b) {
  if (a == b) return a;
  const bool asks = a == ShellStatus::answer || b == ShellStatus::answer ||
                    a == ShellStatus::failure || b == ShellStatus::failure;
  return asks ? ShellStatus::answer : ShellStatus::work;
}

ShellStatus test_status(const Words& arguments) {
  // "a -o b" where "-o" is itself compared is too old a joke: three words are one comparison.
  if (arguments.size() <= 3) return primary(arguments);
  for (const std::string_view joint : {"-o", "-a"}) {
    const auto at = std::find(arguments.begin(), arguments.end(), joint);
    if (at == arguments.end()) continue;
    const ShellStatus first = test_status({arguments.begin(), at});
    const ShellStatus second = test_status({at + 1, arguments.end()});
    if (joint == "-a") return conjunction(first, second);
    return negation(conjunction(negation(first), negation(second)));
  }
  return primary(arguments);
}

ShellStatus command_status(const Words& words) {
  // What prints, sets or does nothing.
  static const std::set<std::string_view> kSucceed = {
      "true",  ":",     "echo",  "printf",   "set",   "export", "umask", "shift",
      "local", "unset", "break", "continue", "sleep", "trap",   "seq",   "tr",
      "wc",    "date",  "uname", "sort",     "head",  "cut",    "uniq",  "eval"};
  static const std::set<std::string_view> kAsk = {
      "grep",  "egrep",    "fgrep",    "getent", "which", "type",      "hash",
      "id",    "ischroot", "cmp",      "diff",   "expr",  "read",      "[[",
      "pidof", "stat",     "readlink", "cat",    "cd",    "dpkg-query"};
  const std::string program = base_name(words.front());
  if (kSucceed.contains(program)) return ShellStatus::success;
  if (program == "false") return ShellStatus::failure;
  if (program == "test") return test_status({words.begin() + 1, words.end()});
  if (program == "[") {
    if (words.size() < 2 || words.back() != "]") return ShellStatus::failure;
    return test_status({words.begin() + 1, words.end() - 1});
  }
  if (program == "cat" && words.size() == 1) return ShellStatus::success;
  if (kAsk.contains(program)) return ShellStatus::answer;
  if (program == "dpkg" && words.size() > 1 && words[1].starts_with("--print")) {
    return ShellStatus::success;
  }
  if (program == "command") return ShellStatus::answer;
  if (program == "dpkg" && is_without_effect(program, words)) return ShellStatus::answer;
  return ShellStatus::work;
}

ShellStatus pattern_status(const std::string& word, const std::string& pattern) {
  if (pattern == "*") return ShellStatus::success;
  if (!is_known(word) || !is_known(pattern)) return ShellStatus::answer;
  if (pattern.find_first_of("?[\\") != std::string::npos) return ShellStatus::answer;
  return status_of(manifests::matches(pattern, word));
}

}  // namespace weir::builder
