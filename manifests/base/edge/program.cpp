#include "manifests/base/edge/program.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "manifests/base/closest_names.h"
#include "manifests/base/edge/interruption.h"
#include "manifests/base/edge/program_log.h"
#include "manifests/base/edge/program_options.h"
#include "manifests/base/edge/run_program.h"

namespace weir {
namespace {

using Words = std::vector<std::string>;
using nlohmann::ordered_json;

int code_of(Exit code) {
  return static_cast<int>(code);
}

bool asks_for_help(const std::string& word) {
  return word == "--help" || word == "-h" || word == "help";
}

bool only_command(const CommandTable& program) {
  return program.commands.size() == 1 && program.commands.front().name.empty();
}

// "weir-keys trust init".
std::string called(const CommandTable& program, const Command& command) {
  return command.name.empty() ? program.name : program.name + " " + command.name;
}

bool in_group(const Command& command, std::string_view group) {
  return group.empty() || command.name.starts_with(std::string(group) + " ");
}

std::string help_text(const CommandTable& program, const Command& command) {
  std::string out = "usage: " + called(program, command);
  if (command.takes) out += " " + command.takes->shown;
  out += " [options]\n\n" + (command.about.empty() ? command.summary : command.about);
  if (!out.ends_with('\n')) out += '\n';
  out += "\n" + options_text(command);
  if (!command.examples.empty()) out += "\nexamples:\n" + command.examples;
  if (command.name.empty() && !program.notes.empty()) out += "\n" + program.notes;
  return out;
}

// Of all commands, or of a group's.
std::string list_text(const CommandTable& program, std::string_view group) {
  const std::string name = program.name + (group.empty() ? "" : " " + std::string(group));
  std::size_t width = 0;
  for (const Command& command : program.commands) width = std::max(width, command.name.size());
  std::string out =
      "usage: " + name + " COMMAND [ARGUMENTS]\n\n" + program.summary + "\n\n" + "commands:\n";
  for (const Command& command : program.commands) {
    if (!in_group(command, group)) continue;
    std::string head = "  " + command.name;
    head.resize(width + 4, ' ');
    out += head + command.summary + "\n";
  }
  out += "\n" + name + " COMMAND --help explains one command. " + program.name +
         " --version says which this is.\n";
  if (!program.notes.empty()) out += "\n" + program.notes;
  return out + "\nexit codes: 0 done, 1 failed, 2 wrong usage, 3 moved back, 4 needs a person\n";
}

ordered_json to_json(const Option& option) {
  ordered_json out = {{"name", long_name(option)}, {"help", option.help}};
  if (const std::string letter = short_name(option); !letter.empty()) out["short"] = letter;
  if (!option.value.empty()) out["value"] = option.value;
  if (const std::string text = default_text(option); !text.empty()) out["default"] = text;
  if (option.need == Need::required) out["required"] = true;
  if (!option.one_of.empty()) out["one_of"] = option.one_of;
  return out;
}

std::string description(const CommandTable& program) {
  ordered_json commands = ordered_json::array();
  for (const Command& command : program.commands) {
    ordered_json options = ordered_json::array();
    for (const Option& option : command.options) options.push_back(to_json(option));
    options.push_back({{"name", "help"}, {"help", "prints this"}, {"short", "h"}});
    commands.push_back({{"name", command.name},
                        {"summary", command.summary},
                        {"about", command.about.empty() ? command.summary : command.about},
                        {"takes", command.takes ? command.takes->shown : ""},
                        {"options", options},
                        {"examples", command.examples}});
  }
  const ordered_json out = {{"program", program.name},
                            {"version", WEIR_VERSION},
                            {"summary", program.summary},
                            {"notes", program.notes},
                            {"commands", commands}};
  return out.dump(2) + "\n";
}

// Results that nobody got are no results.
int finish(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  log_line("the results could not be written to standard output");
  return code == 0 ? code_of(Exit::failed) : code;
}

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return finish(0);
}

int misused(const std::string& explained, const std::string& why) {
  log_line(why + " (" + explained + " --help explains)");
  return code_of(Exit::misused);
}

Result<Exit> begin_and_run(const CommandTable& program, const Command& command) {
  TRY(program.begin());
  return command.run();
}

int run_command(const CommandTable& program, const Command& command, const Words& words) {
  const std::string name = called(program, command);
  start_log(name);
  const auto asked = parse_words(command, words);
  if (!asked) return misused(name, asked.error().message);
  if (*asked == Asked::help) return print(help_text(program, command));
  if (command.check) {
    if (const Status fits = command.check(); !fits) return misused(name, fits.error().message);
  }
  const auto code = program.begin ? begin_and_run(program, command) : command.run();
  yield_to_interruption();
  if (code) return finish(code_of(*code));
  log_line(code.error().message);
  return finish(code_of(command.failed ? command.failed(code.error()) : Exit::failed));
}

// The command that the words begin with, and what follows its name.
const Command* find_command(const CommandTable& program, const Words& words, Words& rest) {
  for (const std::size_t count : {std::size_t{2}, std::size_t{1}}) {
    if (words.size() < count) continue;
    const std::string name = count == 2 ? words[0] + " " + words[1] : words[0];
    for (const Command& command : program.commands) {
      if (command.name != name) continue;
      rest.assign(words.begin() + static_cast<std::ptrdiff_t>(count), words.end());
      return &command;
    }
  }
  return nullptr;
}

bool is_group(const CommandTable& program, const std::string& word) {
  return !word.empty() &&
         std::any_of(program.commands.begin(), program.commands.end(),
                     [&](const Command& command) { return in_group(command, word); });
}

int no_command(const CommandTable& program, const Words& words) {
  const std::string group = is_group(program, words[0]) ? words[0] + " " : "";
  const std::string& word = words[group.empty() ? 0 : 1];
  std::vector<std::string_view> names;
  for (const Command& command : program.commands) {
    if (command.name.starts_with(group)) {
      names.push_back(std::string_view(command.name).substr(group.size()));
    }
  }
  const auto near = closest_names(word, names);
  return misused(program.name + (group.empty() ? "" : " " + words[0]),
                 "there is no command '" + group + word + "'" +
                     (near.empty() ? "" : "; closest: " + group + near.front()));
}

int dispatch(const CommandTable& program, Words words) {
  start_log(program.name);
  if (words.size() == 1 && words[0] == "--version") {
    return print(program.name + " " WEIR_VERSION "\n");
  }
  if (words.size() == 1 && words[0] == "--describe") return print(description(program));
  if (only_command(program)) return run_command(program, program.commands.front(), words);
  if (words.empty()) {
    std::fputs(list_text(program, "").c_str(), stderr);
    return code_of(Exit::misused);
  }
  if (asks_for_help(words[0])) {
    if (words.size() == 1) return print(list_text(program, ""));
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  Words rest;
  if (const Command* command = find_command(program, words, rest)) {
    return run_command(program, *command, rest);
  }
  if (is_group(program, words[0])) {
    if (words.size() > 1 && asks_for_help(words[1])) return print(list_text(program, words[0]));
    if (words.size() == 1) {
      std::fputs(list_text(program, words[0]).c_str(), stderr);
      return code_of(Exit::misused);
    }
  }
  return no_command(program, words);
}

}  // namespace

int run_program(const CommandTable& program, int argc, const char* const* argv) {
  return run_program(program.name.c_str(),
                     [&] { return dispatch(program, Words(argv + 1, argv + argc)); });
}

}  // namespace weir
