#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weir::builder {

/// The words of a command that a maintainer script runs, and what is known of such commands.

using Words = std::vector<std::string>;

/// "ldconfig" of "/sbin/ldconfig".
[[nodiscard]] std::string base_name(const std::string& word);

/// Whether the script's text tells the word's value.
[[nodiscard]] bool is_literal(const std::string& word);

/// "0750" and "750"; nothing for other ways to write a mode.
[[nodiscard]] std::optional<std::uint32_t> mode_of(const std::string& digits);

struct Arguments {
  std::map<std::string, std::string> options;  ///< with their values
  Words names;
};

/// Of a program that makes users or groups.
[[nodiscard]] Arguments arguments_of(const Words& command);

/// Of the first of these options that is given; empty: none is.
[[nodiscard]] std::string value_of(const Arguments& given,
                                   std::initializer_list<const char*> options);

/// Whether it changes nothing in a new system: what a shell has of its own, programs that print,
/// and dpkg where it is only asked.
[[nodiscard]] bool is_without_effect(const std::string& program, const Words& command);

}  // namespace weir::builder
