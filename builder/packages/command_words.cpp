#include "builder/packages/command_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

namespace weir::builder {
namespace {

// Options that take the next word, of the programs that make users.
const std::set<std::string>& options_with_value() {
  static const std::set<std::string> kOptions = {
      "--home",    "--shell",    "--gecos",   "--comment", "--ingroup",  "--gid",
      "--uid",     "--home-dir", "-d",        "-g",        "-s",         "-c",
      "-u",        "-G",         "-b",        "--groups",  "--base-dir", "--firstuid",
      "--lastuid", "--firstgid", "--lastgid", "--conf",    "-k",         "--expiredate",
      "-e",        "-K",         "-p",        "--root",    "-R",         "--prefix",
      "-P"};
  return kOptions;
}

const std::set<std::string>& without_effect() {
  static const std::set<std::string> kPrograms = {
      "set",    ":",        "true",    "false",  "exit",     "return",  "shift",    "echo",
      "printf", "test",     "[",       "[[",     "local",    "export",  "umask",    "cat",
      "break",  "continue", "which",   "getent", "read",     "cd",      "id",       "dpkg-query",
      "unset",  "grep",     "sleep",   "type",   "readlink", "dirname", "basename", "hash",
      "cut",    "head",     "sort",    "uniq",   "tr",       "wc",      "date",     "uname",
      "stat",   "seq",      "ischroot"};
  return kPrograms;
}

// dpkg as scripts may call it, whose database is its own.
bool only_asks(const Words& command) {
  constexpr std::array<std::string_view, 9> kQuestions = {
      "--compare-versions", "--print", "--assert", "--validate", "-s", "-l", "-L", "-S", "-W"};
  return command.size() > 1 && std::any_of(kQuestions.begin(), kQuestions.end(),
                                           [&](auto each) { return command[1].starts_with(each); });
}

}  // namespace

std::string base_name(const std::string& word) {
  return word.substr(word.rfind('/') + 1);
}

bool is_literal(const std::string& word) {
  return word.find_first_of("$`*?") == std::string::npos;
}

std::optional<std::uint32_t> mode_of(const std::string& digits) {
  constexpr std::uint32_t kMost = 07777;
  std::uint32_t mode = 0;
  const char* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, mode, 8);
  if (error != std::errc{} || rest != end || mode > kMost) return std::nullopt;
  return mode;
}

Arguments arguments_of(const Words& command) {
  Arguments out;
  for (std::size_t i = 1; i < command.size(); ++i) {
    const std::string& word = command[i];
    if (!word.starts_with('-')) {
      out.names.push_back(word);
    } else if (const auto equals = word.find('='); equals != std::string::npos) {
      out.options[word.substr(0, equals)] = word.substr(equals + 1);
    } else if (options_with_value().contains(word) && i + 1 < command.size()) {
      out.options[word] = command[++i];
    } else {
      out.options[word] = "";
    }
  }
  return out;
}

std::string value_of(const Arguments& given, std::initializer_list<const char*> options) {
  for (const char* option : options) {
    const auto found = given.options.find(option);
    if (found != given.options.end()) return found->second;
  }
  return "";
}

bool is_without_effect(const std::string& program, const Words& command) {
  return without_effect().contains(program) || (program == "dpkg" && only_asks(command));
}

}  // namespace weir::builder
