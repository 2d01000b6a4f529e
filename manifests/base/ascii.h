#pragma once

#include <string>
#include <string_view>

/// Text of formats that know only ASCII: no locale is asked, bytes past ASCII stay as they are.
namespace weir {

/// A to Z as a to z.
[[nodiscard]] std::string ascii_lower(std::string_view text);

/// Without `blanks` at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n");

}  // namespace weir
