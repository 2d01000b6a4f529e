#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

/// What tests do with text.
namespace weir::test {

/// Where it is not, the test says what is there.
inline bool has(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("'" << std::string(part) << "' is not in: " << text);
  return found;
}

/// `text` with the first `from`, which has to be in it, as `to`.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, std::string(from));
  return text.replace(at, from.size(), to);
}

/// One below the other.
inline std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

}  // namespace weir::test
