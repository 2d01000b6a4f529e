#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace weir::builder {

/// A number of nothing but decimal digits, behind a minus where `Number` has one: what accounts,
/// priorities and sizes are written as. Nothing: it is none, or too large.
template <class Number>
[[nodiscard]] std::optional<Number> parse_whole(std::string_view text) {
  Number out{};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, out);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return out;
}

}  // namespace weir::builder
