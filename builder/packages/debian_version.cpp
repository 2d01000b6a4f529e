#include "builder/packages/debian_version.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

/// Where a character stands among others: tilde, then the end of the text, letters, the rest.
int rank(char c) {
  if (c == '~') return -1;
  const auto byte = static_cast<unsigned char>(c);
  return std::isalpha(byte) != 0 ? byte : byte + 256;
}

/// What comes next in `text` and is of digits, or is of none; taken from it.
std::string_view take(std::string_view& text, bool digits) {
  const auto end =
      std::find_if(text.begin(), text.end(), [&](char c) { return is_digit(c) != digits; });
  const std::string_view out = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(out.size());
  return out;
}

std::strong_ordering compare_words(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const int x = i < a.size() ? rank(a[i]) : 0;
    const int y = i < b.size() ? rank(b[i]) : 0;
    if (x != y) return x <=> y;
  }
  return std::strong_ordering::equal;
}

/// By value, however long; no digits at all are 0.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

std::strong_ordering compare_parts(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    const auto words = compare_words(take(a, false), take(b, false));
    if (words != 0) return words;
    const auto numbers = compare_numbers(take(a, true), take(b, true));
    if (numbers != 0) return numbers;
  }
  return std::strong_ordering::equal;
}

struct Parts {
  std::string_view epoch, upstream, revision;
};

Parts parts_of(std::string_view version) {
  Parts out;
  if (const auto colon = version.find(':'); colon != std::string_view::npos) {
    out.epoch = version.substr(0, colon);
    version.remove_prefix(colon + 1);
  }
  const auto dash = version.rfind('-');
  out.upstream = version.substr(0, dash);
  if (dash != std::string_view::npos) out.revision = version.substr(dash + 1);
  return out;
}

}  // namespace

std::strong_ordering compare_versions(const std::string& a, const std::string& b) {
  const Parts x = parts_of(a), y = parts_of(b);
  if (const auto epoch = compare_numbers(x.epoch, y.epoch); epoch != 0) return epoch;
  if (const auto upstream = compare_parts(x.upstream, y.upstream); upstream != 0) return upstream;
  return compare_parts(x.revision, y.revision);
}

}  // namespace weir::builder
