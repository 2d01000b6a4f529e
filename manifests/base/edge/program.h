#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "manifests/base/result.h"

/// What a program offers, as one table: `--help` of the program and of each command, `--version`,
/// parsing, the words for wrong usage, exit codes, manuals and completions all come from it.
namespace weir {

/// How every program of Weir ends.
enum class Exit : std::uint8_t {
  done = 0,
  failed = 1,
  misused = 2,       ///< wrong usage: nothing was done
  moved_back = 3,    ///< clients were moved, and back again
  needs_person = 4,  ///< what is there now is for a person to judge
};

/// Where an option's value goes. What lies there before is its default: a text that is not empty
/// and a number are shown as such. A bool is a switch; lists take the option again and again; a
/// list that is optional takes any number of words, also none, and stands behind the arguments.
using OptionTarget =
    std::variant<bool*, std::string*, std::optional<std::string>*, std::vector<std::string>*,
                 std::optional<std::vector<std::string>>*, std::uint32_t*,
                 std::optional<std::uint32_t>*>;

enum class Need : std::uint8_t { optional, required };

struct Option {
  std::string name;   ///< "store", or with a short one "fleet,f"
  std::string value;  ///< what --help calls its value: "DIR"; empty for a switch
  OptionTarget target;
  std::string help;
  Need need = Need::optional;
  std::vector<std::string> one_of{};  ///< the only values, where they are few: "spdx", "cyclonedx"
};

/// What a command takes beside its options.
struct Positional {
  std::string shown;  ///< "MANIFEST|LOCK", "A B", "FILE..."
  std::variant<std::string*, std::vector<std::string>*> target;
  std::size_t least = 1, most = 1;
};
inline constexpr std::size_t kAnyNumber = SIZE_MAX;

/// One command. Its functions own what the options point into:
///
///     Command list_command() {
///       auto given = std::make_shared<ListOptions>();
///       return {.name = "list",
///               .summary = "lists the releases of a store",
///               .examples = "  weir-builder list --store store\n",
///               .options = {{"store", "DIR", &given->store, "where they are", Need::required}},
///               .run = [given] { return list(*given); }};
///     }
struct Command {
  std::string name;        ///< "build"; two words for one of a group, "trust init"; "" for the only
  std::string summary;     ///< half a line
  std::string about{};     ///< lines as --help prints them; empty where the summary says it all
  std::string examples{};  ///< a command a line, indented by two
  std::optional<Positional> takes{};
  std::vector<Option> options{};
  /// What no option can say of itself alone ("--key or --trust, not both"). A failure is wrong
  /// usage.
  std::function<Status()> check{};
  /// Results go to stdout; a failure is told on stderr by the program, once.
  std::function<Result<Exit>()> run;
  /// What a failure ends with, where that is not `Exit::failed`; may put it on stdout, as JSON.
  std::function<Exit(const Error&)> failed{};
};

struct CommandTable {
  std::string name;     ///< "weir-builder"
  std::string summary;  ///< what it is, half a line
  std::vector<Command> commands;
  std::string notes{};  ///< for the end of the program's --help, lines
  /// Comes before any command runs; its failure ends the program like a command's.
  std::function<Status()> begin{};
};

/// What a program's `main` does and returns.
///
/// Understands beside the table: --help, -h and help, also of a command or a group; --version;
/// --describe, which prints the table as JSON (docs/packages.md). Wrong usage is one sentence that
/// names the closest command or option; errors begin with the program's and the command's name, and
/// are printable(). Ends with 1 where results could not be written, or memory is short.
[[nodiscard]] int run_program(const CommandTable& program, int argc, const char* const* argv);

}  // namespace weir
