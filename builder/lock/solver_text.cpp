#include "builder/lock/solver_text.h"

#include <algorithm>
#include <array>

#include "builder/mirror/lines.h"

namespace weir::builder {
namespace {

constexpr std::array<std::string_view, 15> kFields = {
    "package",  "version",   "architecture", "source",     "depends",
    "provides", "conflicts", "breaks",       "replaces",   "pre-depends",
    "enhances", "suggests",  "recommends",   "multi-arch", "installed-size"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_needed(std::string_view field) {
  return std::any_of(kFields.begin(), kFields.end(), [&](std::string_view known) {
    return std::equal(field.begin(), field.end(), known.begin(), known.end(),
                      [](char a, char b) { return lower(a) == b; });
  });
}

}  // namespace

std::string solver_text(std::string_view index) {
  std::string out;
  out.reserve(index.size() / 3);
  bool kept = true;
  each_line(index, [&](std::string_view line) {
    const bool continues = line.starts_with(' ') || line.starts_with('\t');
    if (line.empty()) {
      kept = true;
    } else if (!continues) {
      std::string_view field = line.substr(0, std::min(line.find(':'), line.size()));
      kept = is_needed(field.substr(0, std::min(field.find_last_not_of(" \t") + 1, field.size())));
    }
    if (kept) out.append(line).append("\n");
  });
  return out;
}

}  // namespace weir::builder
