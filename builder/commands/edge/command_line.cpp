#include "builder/commands/edge/command_line.h"

#include <cstdio>
#include <iostream>

namespace weir::builder {
namespace {

namespace options = boost::program_options;

constexpr const char* kPositional = "the-argument";

void print_help(const CommandLine& line) {
  std::cout << "usage: weir-builder " << line.name
            << (line.positional.empty() ? "" : " " + line.positional) << " [options]\n\n"
            << line.about << "\n\n"
            << line.options << "\nexamples:\n"
            << line.examples;
}

int misused(const CommandLine& line, const std::string& why) {
  std::fprintf(stderr, "weir-builder %s: %s (--help explains)\n", line.name.c_str(), why.c_str());
  return 2;
}

}  // namespace

std::optional<int> parse_command_line(CommandLine& line, const Arguments& args,
                                      std::vector<std::string>* arguments, std::size_t count) {
  line.options.add_options()("help,h", "prints this");
  options::options_description all;
  all.add(line.options);
  options::positional_options_description places;
  if (count > 0) {
    all.add_options()(kPositional, options::value(arguments));
    places.add(kPositional, count == kOneOrMore ? -1 : static_cast<int>(count));
  }
  try {
    options::variables_map parsed;
    options::store(options::command_line_parser(args).options(all).positional(places).run(),
                   parsed);
    if (parsed.count("help") != 0) {
      print_help(line);
      return 0;
    }
    const std::size_t got = parsed.count(kPositional) == 0
                                ? 0
                                : parsed[kPositional].as<std::vector<std::string>>().size();
    const bool enough = count == kOneOrMore ? got > 0 : got == count;
    if (!enough) return misused(line, "which " + line.positional + "?");
    options::notify(parsed);
  } catch (const options::too_many_positional_options_error&) {
    return misused(line, "too many arguments");
  } catch (const options::error& error) {
    return misused(line, error.what());
  }
  return std::nullopt;
}

std::optional<int> parse_command_line(CommandLine& line, const Arguments& args,
                                      std::string* argument) {
  std::vector<std::string> arguments;
  const auto code = parse_command_line(line, args, &arguments, argument == nullptr ? 0 : 1);
  if (!code && argument != nullptr) *argument = arguments.front();
  return code;
}

int report(const CommandLine& line, const Error& error) {
  std::fprintf(stderr, "weir-builder %s: %s\n", line.name.c_str(), error.message.c_str());
  return 1;
}

}  // namespace weir::builder
