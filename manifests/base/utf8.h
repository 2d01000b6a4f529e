#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

/// One character of UTF-8 (RFC 3629), or one byte that belongs to none.
struct Utf8Character {
  char32_t value = 0;    ///< the code point; of a byte that is not UTF-8, the byte
  std::size_t size = 1;  ///< bytes, 1 to 4
  bool good = false;
};

/// The character that begins at `at`, which must lie inside `text`.
[[nodiscard]] Utf8Character utf8_character(std::string_view text, std::size_t at);

/// Where the first byte stands that is not UTF-8, or npos.
[[nodiscard]] std::size_t find_broken_utf8(std::string_view text);

}  // namespace weir
