#include "manifests/base/utf8.h"

namespace weir {

Utf8Character utf8_character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned lead = byte(at);
  const Utf8Character broken{lead, 1, false};
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t more = lead >= 0xc2 && lead <= 0xdf   ? 1
                           : lead >= 0xe0 && lead <= 0xef ? 2
                           : lead >= 0xf0 && lead <= 0xf4 ? 3
                                                          : 0;
  if (more == 0) return broken;
  char32_t value = lead & (0x3fU >> more);
  for (std::size_t i = 1; i <= more; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return broken;
    value = value << 6 | (byte(at + i) & 0x3f);
  }
  // Too long for what it says, a surrogate, or beyond the last character.
  if ((more == 2 && value < 0x800) || (more == 3 && value < 0x10000) ||
      (value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) {
    return broken;
  }
  return {value, more + 1, true};
}

std::size_t find_broken_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = utf8_character(text, at);
    if (!character.good) return at;
    at += character.size;
  }
  return std::string_view::npos;
}

}  // namespace weir
