#pragma once

#include <string>
#include <vector>

#include "manifests/base/edge/program.h"

/// The part of the command-line table that Boost.Program_options does.
namespace weir {

enum class Asked : std::uint8_t { run, help };

/// Puts what the words say into the command's targets. An option whose value is called TEXT is for
/// people and may be empty; every other one, and every argument, names something.
/// errors: invalid_input, a sentence about wrong usage, also about an empty name
[[nodiscard]] Result<Asked> parse_words(const Command& command,
                                        const std::vector<std::string>& words);

/// The options, a line or more each, --help included.
[[nodiscard]] std::string options_text(const Command& command);

/// "fleet" of "fleet,f", and "f".
[[nodiscard]] std::string long_name(const Option& option);
[[nodiscard]] std::string short_name(const Option& option);
/// The default as text, empty where there is none to show.
[[nodiscard]] std::string default_text(const Option& option);

}  // namespace weir
