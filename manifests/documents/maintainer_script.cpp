#include "manifests/documents/maintainer_script.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace weir::manifests {
namespace {

// What a kernel comes in: its release follows.
constexpr std::array<std::string_view, 4> kKernelPrefixes = {"linux-image-", "linux-binary-",
                                                             "linux-modules-", "linux-base-"};
constexpr std::string_view kBlank = " \t\r";

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

std::string normalize_script(std::string_view script, const ScriptOwner& owner) {
  std::string out;
  bool first = true, continued = false;
  while (!script.empty()) {
    const auto end = std::min(script.find('\n'), script.size());
    std::string_view line = script.substr(0, end);
    script.remove_prefix(std::min(script.size(), end + 1));
    const auto last = line.find_last_not_of(kBlank);
    line = line.substr(0, last == std::string_view::npos ? 0 : last + 1);
    const auto start = line.find_first_not_of(kBlank);
    const bool empty = start == std::string_view::npos || line[start] == '#';
    const bool kept = !empty || continued || (first && line.starts_with("#!"));
    if (kept) out.append(line).append("\n");
    // After a backslash the next line is part of this one, whatever it looks like.
    continued = kept && line.ends_with('\\');
    first = false;
  }
  std::vector<std::pair<std::string_view, std::string_view>> names = {{owner.package, "@PACKAGE@"},
                                                                      {owner.version, "@VERSION@"}};
  for (const std::string_view prefix : kKernelPrefixes) {
    if (!owner.package.starts_with(prefix)) continue;
    names.emplace_back(owner.package.substr(prefix.size()), "@RELEASE@");
  }
  std::stable_sort(names.begin(), names.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  for (const auto& [from, to] : names) {
    if (from.size() >= 3) replace_all(out, from, to);
  }
  return out;
}

Digest script_digest(std::string_view script, const ScriptOwner& owner) {
  return Digest::of(as_bytes(normalize_script(script, owner)));
}

}  // namespace weir::manifests
