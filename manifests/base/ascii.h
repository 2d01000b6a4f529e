#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Text of formats that know only ASCII: no locale is asked, bytes past ASCII stay as they are.
namespace weir {

[[nodiscard]] constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
[[nodiscard]] constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

/// A to Z as a to z.
[[nodiscard]] std::string ascii_lower(std::string_view text);

/// Without `blanks` at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n");

/// What stands between `blanks`, however many in a row.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view text,
                                                     std::string_view blanks = " \t\r\n");

}  // namespace weir
