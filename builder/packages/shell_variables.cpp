#include "builder/packages/shell_variables.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace weir::builder {
namespace {

bool is_name(std::string_view word) {
  return !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) == 0 &&
         std::all_of(word.begin(), word.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// What a shell would still change about it, or might: whoever uses it gets it as it stands.
bool is_plain(std::string_view value) {
  return value.find_first_of("$`*?[\\") == std::string_view::npos && !value.starts_with('~') &&
         value.find(":~") == std::string_view::npos;
}

}  // namespace

bool is_assignment(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && is_name(word.substr(0, equals));
}

void ShellVariables::count(const std::vector<std::string>& assignments,
                           const std::vector<std::string>& words) {
  static const std::set<std::string_view> kChange = {
      "for",      "read",    "unset",  "local",   "getopts",   "export", "declare",
      "readonly", "typeset", "printf", "mapfile", "readarray", "let"};
  for (const std::string& each : assignments) {
    const std::string name = each.substr(0, each.find('='));
    times_[name] += words.empty() ? 1 : 2;
    splits_ = splits_ && name != "IFS";
  }
  if (words.empty()) return;
  const std::string& first = words.front();
  // bash's "NAME+=value"
  if (const auto plus = first.find("+="); plus != std::string::npos) {
    count_change(std::string_view(first).substr(0, plus));
  }
  const bool asks_debconf = words.size() > 1 && words[1].ends_with("/debconf/confmodule");
  lost_ = lost_ || first == "eval" || ((first == "." || first == "source") && !asks_debconf) ||
          (first == "trap" && words.size() > 1 && words[1].find('=') != std::string::npos);
  const bool sets_arguments =
      first == "set" && words.size() > 1 &&
      (words[1] == "--" || (!words[1].starts_with('-') && !words[1].starts_with('+')));
  shifted_ = shifted_ || first == "shift" || first == "eval" || sets_arguments;
  if (!kChange.contains(first)) return;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string name = words[i].substr(0, words[i].find('='));
    const bool only_marks = (first == "export" || first == "readonly") && name == words[i];
    if (is_name(name) && !only_marks) count_change(name);
    splits_ = splits_ && name != "IFS";
    if (first == "for") break;
  }
}

void ShellVariables::assign(std::string_view assignment) {
  const auto equals = assignment.find('=');
  const auto name = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  const auto times = times_.find(name);
  if (times == times_.end() || times->second != 1 || !is_plain(value)) return;
  values_.emplace(name, value);
}

std::optional<std::string> ShellVariables::value(std::string_view name, bool in_function) const {
  if (name.empty()) return std::nullopt;
  if (name.size() == 1 && name.front() >= '1' && name.front() <= '9') {
    const auto at = static_cast<std::size_t>(name.front() - '1');
    if (in_function || shifted_ || at >= arguments_.size()) return std::nullopt;
    return arguments_[at];
  }
  const auto found = values_.find(name);
  if (lost_ || found == values_.end()) return std::nullopt;
  return found->second;
}

}  // namespace weir::builder
