#include "builder/packages/sysusers.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace weir::builder {
namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// What the script says of a user of the same name stays.
void add(manifests::SystemUser user, ScriptActions& out) {
  std::erase(out.groups, user.group.empty() ? user.name : user.group);
  const bool known = std::any_of(out.users.begin(), out.users.end(),
                                 [&](const auto& each) { return each.name == user.name; });
  if (!known) out.users.push_back(std::move(user));
}

}  // namespace

void add_sysusers(std::string_view file, ScriptActions& out) {
  std::istringstream lines{std::string(file)};
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> words;
    std::string word;
    bool quoted = false, any = false;
    for (const char c : line + " ") {
      if (c == '"') {
        quoted = !quoted;
        any = true;
      } else if (!quoted && (c == ' ' || c == '\t')) {
        if (any || !word.empty()) words.push_back(std::move(word));
        word.clear();
        any = false;
      } else {
        word += c;
      }
    }
    if (words.size() < 2 || words[0].starts_with('#')) continue;
    const auto given = [&](std::size_t at) {
      return words.size() > at && words[at] != "-" ? words[at] : std::string();
    };
    const std::string& name = words[1];
    if (!manifests::is_user_name(name)) continue;
    if (words[0].starts_with('u')) {
      manifests::SystemUser user{name};
      if (const auto home = given(4); home.starts_with('/') && home != "/") user.home = home;
      if (const auto shell = given(5); shell.starts_with('/')) user.shell = shell;
      const std::string id = given(2);
      if (const auto colon = id.find(':'); colon != std::string::npos) {
        const std::string group = id.substr(colon + 1);
        if (manifests::is_user_name(group) && group != name) user.group = group;
      }
      add(std::move(user), out);
    } else if (words[0] == "g") {
      add_once(out.groups, name);
    } else if (words[0] == "m") {
      for (auto& user : out.users) {
        if (user.name == name && !given(2).empty()) add_once(user.groups, given(2));
      }
    }
  }
}

}  // namespace weir::builder
