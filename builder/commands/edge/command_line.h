#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "builder/commands/edge/commands.h"
#include "manifests/base/result.h"

// A heavy header: for the commands' .cpp files.
namespace weir::builder {

/// A subcommand's command line: positional arguments and options.
struct CommandLine {
  std::string name;        ///< "build"
  std::string positional;  ///< "MANIFEST|LOCK", "A B", empty where it takes none
  std::string about;       ///< what it does, one or two sentences
  std::string examples;    ///< a command a line
  boost::program_options::options_description options{"options"};
};

/// Reads the arguments into what `line.options` names; `argument` gets the positional one.
/// returns  an exit code where the command is over: 0 after --help, 2 after a mistake that was told
[[nodiscard]] std::optional<int> parse_command_line(CommandLine& line, const Arguments& args,
                                                    std::string* argument);
inline constexpr std::size_t kOneOrMore = SIZE_MAX;
/// The same for exactly `count` positional arguments, or for `kOneOrMore`.
[[nodiscard]] std::optional<int> parse_command_line(CommandLine& line, const Arguments& args,
                                                    std::vector<std::string>* arguments,
                                                    std::size_t count);

/// Tells the error on stderr. returns 1
int report(const CommandLine& line, const Error& error);

}  // namespace weir::builder
