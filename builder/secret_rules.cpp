#include "builder/secret_rules.h"

#include <algorithm>
#include <cctype>

namespace weir::builder::secret_rules {
namespace {

constexpr std::size_t kKey = 44;        ///< 32 bytes in base64, one '=' at the end
constexpr std::size_t kKeyHex = 64;     ///< the same in hex
constexpr std::size_t kMinisign = 212;  ///< 158 bytes in base64, one '=' at the end
constexpr std::size_t kAge = 58;
constexpr std::size_t kHeaders = 8;  ///< lines between an armour's first line and its base64

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
  while (end < content.size() && is(static_cast<char>(content[end]))) ++end;
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
  return std::any_of(key.begin(), key.end(), [&](std::uint8_t c) { return c != key.front(); });
}

// Base64 that ends in exactly one '=' after `size` characters in all.
bool padded(Bytes content, std::size_t from, std::size_t size) {
  return run(content, from, is_base64) == size - 1 && at(content, from + size - 1) == '=' &&
         at(content, from + size) != '=';
}

// Past a line's end, also one that is written as `\n` inside a string. 0 where there is none.
std::size_t past_line_end(Bytes content, std::size_t from) {
  if (starts(content, from, "\\r\\n")) return from + 4;
  if (starts(content, from, "\\n") || starts(content, from, "\r\n")) return from + 2;
  return at(content, from) == '\n' ? from + 1 : 0;
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

bool line_of_base64(Bytes content, std::size_t from) {
  return run(content, from, is_base64) >= 16;
}

}  // namespace

std::optional<std::size_t> setting(Bytes content, std::size_t begin, std::size_t words) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '"' || c == '\''; };
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
  next = past_line_end(content, next + 5);
  for (std::size_t i = 0; next != 0 && i < kHeaders; ++i) {
    next += run(content, next, [](char c) { return c == ' ' || c == '\t'; });
    if (line_of_base64(content, next)) return first;
    // A header ("Proc-Type: 4,ENCRYPTED") or an empty line.
    const std::size_t size =
        run(content, next, [](char c) { return c >= ' ' && c < '\x7f' && c != '\\'; });
    const Bytes line = content.subspan(std::min(next, content.size()), size);
    if (size > 128 || (size > 0 && std::find(line.begin(), line.end(), ':') == line.end())) break;
    next = past_line_end(content, next + size);
  }
  return std::nullopt;
}

std::optional<std::size_t> openssh(Bytes content, std::size_t begin) {
  if (!starts(content, begin, "b3BlbnNzaC1rZXktdjE")) return std::nullopt;
  const auto body = [](char c) { return is_base64(c) || c == '\n' || c == '\r' || c == ' '; };
  if (run(content, begin, body) < 200) return std::nullopt;
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

}  // namespace weir::builder::secret_rules
