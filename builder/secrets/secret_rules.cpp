#include "builder/secrets/secret_rules.h"

#include <algorithm>
#include <cctype>

namespace weir::builder::secret_rules {
namespace {

constexpr std::size_t kKey = 44;        ///< 32 bytes in base64, one '=' at the end
constexpr std::size_t kKeyHex = 64;     ///< the same in hex
constexpr std::size_t kMinisign = 212;  ///< 158 bytes in base64, one '=' at the end
constexpr std::size_t kAge = 58;
constexpr std::size_t kHeaders = 8;   ///< lines between an armour's first line and its base64
constexpr std::size_t kHeader = 128;  ///< longer, and it is all on one line
constexpr std::size_t kPemBody = 40;  ///< SEC 1 with a key of 24 bytes and nothing else: 44
constexpr std::size_t kOpensshBody = 200;
constexpr std::size_t kLine = 16;
constexpr std::size_t kGap = 64;
constexpr std::size_t kRun = 1024;  ///< no hit looks further: many hits must not cost their square

char at(Bytes content, std::size_t index) {
  return index < content.size() ? static_cast<char>(content[index]) : '\0';
}

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template <class Is>
std::size_t run(Bytes content, std::size_t from, Is is) {
  std::size_t end = from;
  while (end < content.size() && end - from < kRun && is(static_cast<char>(content[end]))) ++end;
  return end - from;
}

bool starts(Bytes content, std::size_t from, std::string_view text) {
  return from <= content.size() && content.size() - from >= text.size() &&
         std::equal(text.begin(), text.end(), content.begin() + static_cast<std::ptrdiff_t>(from),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

// A key whose every character is the same ("AAAA...=", "000...") is a placeholder.
bool varied(Bytes content, std::size_t from, std::size_t size) {
  const Bytes key = content.subspan(from, size);
  const auto first = std::find_if(key.begin(), key.end(), [](auto c) { return c != '\\'; });
  return std::any_of(first, key.end(), [&](auto c) { return c != '\\' && c != *first; });
}

// Base64 in one piece; JSON may write its '/' as "\\/".
struct Base64 {
  std::size_t characters = 0, bytes = 0;
};

Base64 base64(Bytes content, std::size_t from) {
  Base64 out;
  while (out.bytes < kRun) {
    std::size_t next = from + out.bytes;
    if (at(content, next) == '\\' && at(content, next + 1) == '/') ++next;
    if (!is_base64(at(content, next))) break;
    out.bytes = next + 1 - from;
    ++out.characters;
  }
  return out;
}

// Base64 that ends in exactly one '=' after `size` characters in all.
bool padded(Bytes content, std::size_t from, std::size_t size) {
  const Base64 text = base64(content, from);
  const std::size_t end = from + text.bytes;
  return text.characters == size - 1 && at(content, end) == '=' && at(content, end + 1) != '=';
}

// What stands between two lines of one text: the line's end, also one that is written as `\n`, and
// what quotes, comments, continues, lists or indents lines.
bool between_lines(char c) {
  return c != '\0' && std::string_view(" \t\r\n\"'`#,;*>|\\").find(c) != std::string_view::npos;
}

bool is_escape(Bytes content, std::size_t index) {
  const char letter = at(content, index + 1);
  return at(content, index) == '\\' && (letter == 'n' || letter == 'r' || letter == 't');
}

std::size_t gap_after(Bytes content, std::size_t from) {
  std::size_t end = from;
  while (end - from < kGap) {
    if (is_escape(content, end)) {
      end += 2;
    } else if (between_lines(at(content, end))) {
      ++end;
    } else {
      break;
    }
  }
  return end - from;
}

std::size_t gap_before(Bytes content, std::size_t to) {
  std::size_t begin = to;
  while (begin > 0 && to - begin < kGap) {
    if (begin > 1 && is_escape(content, begin - 2)) {
      begin -= 2;
    } else if (between_lines(at(content, begin - 1))) {
      --begin;
    } else {
      break;
    }
  }
  return to - begin;
}

// Whether `enough` characters of base64, not all the same, are there in lines of one length or of
// sixteen and more. Words of prose are neither.
bool lines_of_base64(Bytes content, std::size_t from, std::size_t enough) {
  std::size_t count = 0, first = 0;
  bool different = false;
  for (std::size_t next = from;;) {
    next += gap_after(content, next);
    const Base64 line = base64(content, next);
    const char begin = at(content, next);
    // "//" comments lines and "+" joins strings.
    if (line.characters <= 2 && (begin == '/' || begin == '+')) {
      next += line.bytes;
      continue;
    }
    different = different || (line.characters > 0 && varied(content, next, line.bytes));
    count += line.characters;
    if (count >= enough) return different;
    if (first == 0) first = line.characters;
    if (line.characters == 0 || (line.characters < kLine && line.characters != first)) return false;
    next += line.bytes;
  }
}

// Whether what begins there is the name in UCI's `option NAME VALUE`.
bool after_option(Bytes content, std::size_t begin) {
  constexpr std::string_view kOption = "option";
  std::size_t end = begin;
  if (end > 0 && (at(content, end - 1) == '\'' || at(content, end - 1) == '"')) --end;
  const std::size_t last = end;
  while (end > 0 && last - end < 64 &&
         (at(content, end - 1) == ' ' || at(content, end - 1) == '\t')) {
    --end;
  }
  return end < last && end >= kOption.size() && starts(content, end - kOption.size(), kOption);
}

}  // namespace

std::optional<std::size_t> setting(Bytes content, std::size_t begin, std::size_t words) {
  const auto blank = [](char c) {
    return c == ' ' || c == '\t' || c == '"' || c == '\'' || c == '\\';
  };
  std::size_t next = begin + words;
  next += std::min<std::size_t>(run(content, next, blank), 64);
  if (at(content, next) == '=' || at(content, next) == ':') {
    ++next;
    if (at(content, next) == '>') ++next;
    next += std::min<std::size_t>(run(content, next, blank), 64);
  } else if (next == begin + words || !after_option(content, begin)) {
    return std::nullopt;
  }
  const bool base64 = padded(content, next, kKey);
  const bool hex = run(content, next, is_hex) == kKeyHex && !is_base64(at(content, next + kKeyHex));
  if (!base64 && !hex) return std::nullopt;
  if (!varied(content, next, base64 ? kKey - 1 : kKeyHex)) return std::nullopt;
  return begin;
}

std::optional<std::size_t> pem(Bytes content, std::size_t begin) {
  constexpr std::string_view kWords = "PRIVATE KEY", kBegin = "-----BEGIN ";
  if (!starts(content, begin, kWords)) return std::nullopt;
  // "-----BEGIN OPENSSH PRIVATE KEY-----": what stands before the words is capitals and blanks.
  std::size_t first = begin;
  while (first > 0 && begin - first < 32 &&
         (std::isupper(content[first - 1]) != 0 || content[first - 1] == ' ')) {
    --first;
  }
  if (first < 5 || !starts(content, first - 5, kBegin)) return std::nullopt;
  first -= 5;
  std::size_t next = begin + kWords.size();
  if (starts(content, next, " BLOCK")) next += 6;
  if (!starts(content, next, "-----")) return std::nullopt;
  next += 5;
  for (std::size_t i = 0; i <= kHeaders; ++i) {
    next += gap_after(content, next);
    if (lines_of_base64(content, next, kPemBody)) return first;
    // "Proc-Type: 4,ENCRYPTED"
    const std::size_t name = run(content, next, [](char c) { return is_base64(c) || c == '-'; });
    if (name == 0 || at(content, next + name) != ':') break;
    const auto printable = [](char c) { return c >= ' ' && c < '\x7f' && c != '\\'; };
    const auto word = [&](char c) { return printable(c) && c != ' '; };
    std::size_t size = run(content, next, printable);
    if (size > kHeader) {
      size = name + 1;
      size += run(content, next + size, [](char c) { return c == ' '; });
      size += run(content, next + size, word);
    }
    next += size;
  }
  return std::nullopt;
}

std::optional<std::size_t> openssh(Bytes content, std::size_t begin) {
  if (!starts(content, begin, "b3BlbnNzaC1rZXktdjE")) return std::nullopt;
  if (!lines_of_base64(content, begin, kOpensshBody)) return std::nullopt;
  return begin;
}

std::optional<std::size_t> minisign(Bytes content, std::size_t begin) {
  const bool known = starts(content, begin, "RWRTY0Iy") || starts(content, begin, "RWQAAEIy");
  if (!known || !padded(content, begin, kMinisign)) return std::nullopt;
  return begin;
}

std::optional<std::size_t> age(Bytes content, std::size_t begin) {
  constexpr std::string_view kUpper = "AGE-SECRET-KEY-1", kLower = "age-secret-key-1";
  const bool upper = starts(content, begin, kUpper);
  if (!upper && !starts(content, begin, kLower)) return std::nullopt;
  const std::string_view letters =
      upper ? "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" : "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  const std::size_t from = begin + kUpper.size();
  const auto bech32 = [&](char c) { return letters.find(c) != std::string_view::npos; };
  if (run(content, from, bech32) != kAge) return std::nullopt;
  if (is_base64(at(content, from + kAge))) return std::nullopt;
  return begin;
}

std::optional<std::size_t> key_text(Bytes content, std::size_t from, Bytes text, std::size_t anchor,
                                    std::size_t size, bool (*same)(std::uint8_t, std::uint8_t)) {
  const auto fits = [&](std::size_t index, std::size_t of_text) {
    return index < content.size() && same(content[index], text[of_text]);
  };
  std::size_t begin = from, first = anchor, end = from, last = anchor;
  for (; last < anchor + size; ++last, ++end) {
    if (!fits(end, last)) return std::nullopt;
  }
  for (; last < text.size(); ++last, ++end) {
    if (fits(end, last)) continue;
    const std::size_t next = end + gap_after(content, end);
    if (!fits(next, last)) break;
    end = next;
  }
  for (; first > 0; --first, --begin) {
    const bool escape = begin > 1 && is_escape(content, begin - 2);
    if (begin > 0 && !escape && fits(begin - 1, first - 1)) continue;
    const std::size_t before = begin - gap_before(content, begin);
    if (before == 0 || !fits(before - 1, first - 1)) break;
    begin = before;
  }
  if ((last - first) * 2 < text.size()) return std::nullopt;
  return begin;
}

}  // namespace weir::builder::secret_rules
