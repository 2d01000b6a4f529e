#include "manifests/base/printable.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "manifests/base/utf8.h"

namespace weir {
namespace {

struct Range {
  char32_t first, last;
};

// Beyond ASCII, in order: Cc, Zl, Zp, Bidi_Control, Default_Ignorable_Code_Point, and the
// interlinear annotations.
constexpr std::array kUnsafe = {
    Range{0x80, 0x9f},        // C1
    Range{0xad, 0xad},        // soft hyphen
    Range{0x34f, 0x34f},      // combining grapheme joiner
    Range{0x61c, 0x61c},      // Arabic letter mark
    Range{0x115f, 0x1160},    // Hangul fillers
    Range{0x17b4, 0x17b5},    // Khmer inherent vowels
    Range{0x180b, 0x180f},    // Mongolian variation selectors and vowel separator
    Range{0x200b, 0x200f},    // zero-width space and joiners, left-to-right and right-to-left marks
    Range{0x2028, 0x202e},    // line and paragraph separators, embeddings and overrides
    Range{0x2060, 0x206f},    // word joiner, invisible operators, isolates, old format controls
    Range{0x3164, 0x3164},    // Hangul filler
    Range{0xfe00, 0xfe0f},    // variation selectors
    Range{0xfeff, 0xfeff},    // byte order mark
    Range{0xffa0, 0xffa0},    // halfwidth Hangul filler
    Range{0xfff0, 0xfffb},    // reserved for what cannot be seen, interlinear annotations
    Range{0x1bca0, 0x1bca3},  // shorthand format controls
    Range{0x1d173, 0x1d17a},  // musical beams, ties, slurs, phrases
    Range{0xe0000, 0xe0fff},  // tags, variation selectors, reserved for what cannot be seen
};

bool is_safe(const Utf8Character& character) {
  if (!character.good) return false;
  if (character.value < 0x80) return character.value >= 0x20 && character.value != 0x7f;
  return std::none_of(kUnsafe.begin(), kUnsafe.end(), [&](const Range& range) {
    return character.value >= range.first && character.value <= range.last;
  });
}

std::string escape_of(const Utf8Character& character) {
  if (character.good) {
    if (character.value == '\n') return "\\n";
    if (character.value == '\r') return "\\r";
    if (character.value == '\t') return "\\t";
  }
  const bool byte = !character.good || character.value < 0x80;
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), byte ? "\\x%02x" : "\\u{%04x}",
                static_cast<unsigned>(character.value));
  return text.data();
}

std::string with_escapes(std::string_view text, bool keep_newlines, std::size_t most) {
  std::string out;
  out.reserve(std::min(text.size(), most));
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = utf8_character(text, at);
    const bool kept = is_safe(character) || (keep_newlines && character.value == '\n');
    const std::string escaped =
        kept ? std::string(text.substr(at, character.size)) : escape_of(character);
    if (out.size() + escaped.size() > most) return out + "...";
    out += escaped;
    at += character.size;
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) {
  return with_escapes(text, false, SIZE_MAX);
}

bool is_printable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = utf8_character(text, at);
    if (!is_safe(character)) return false;
    at += character.size;
  }
  return true;
}

std::string printable_lines(std::string_view text) {
  return with_escapes(text, true, SIZE_MAX);
}

std::string excerpt(std::string_view text, std::size_t most) {
  return with_escapes(text, false, most);
}

std::string quotation(std::string_view text, std::size_t most) {
  return "'" + excerpt(text, most) + "'";
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

}  // namespace weir
