#include "manifests/base/names.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "manifests/base/printable.h"

namespace weir {

Status check_name(std::string_view text) {
  const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool good = !text.empty() && text.size() <= 63 && alnum(text.front()) &&
                    alnum(text.back()) && std::all_of(text.begin(), text.end(), [&](char c) {
                      return alnum(c) || c == '-' || c == '.';
                    });
  if (good) return {};
  return fail(Errc::invalid_input, quotation(text) +
                                       " is not a name (1 to 63 of a-z, 0-9, '-' and '.', the "
                                       "first and last a letter or digit)");
}

Result<PublicKey> PublicKey::parse(std::string_view base64) {
  auto raw = parse_base64(base64);
  if (!raw || raw->size() != 32) {
    return fail(Errc::invalid_input,
                quotation(base64) + " is not a WireGuard key (44 characters of base64)");
  }
  std::array<std::uint8_t, 32> bytes{};
  std::copy(raw->begin(), raw->end(), bytes.begin());
  return PublicKey(bytes);
}

Result<ByteCount> parse_byte_count(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  const int shift = unit.empty() || unit == "B" ? 0
                    : unit == "KiB"             ? 10
                    : unit == "MiB"             ? 20
                    : unit == "GiB"             ? 30
                                                : -1;
  if (error != std::errc{} || shift < 0 || number > UINT64_MAX >> shift) {
    return fail(Errc::invalid_input, quotation(text) + " is not a size (such as 512 MiB)");
  }
  return ByteCount{number << shift};
}

std::string print(ByteCount bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes.value);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

}  // namespace weir
