#include "deployer/pool/console_tail.h"

#include <algorithm>
#include <vector>

namespace weir::pool {

std::string last_lines(std::string_view text, std::size_t lines, bool whole) {
  std::vector<std::string> kept;
  bool first = true;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const bool broken = first && !whole;
    first = false;
    while (!line.empty() && line.back() == '\r') line.pop_back();
    if (broken || line.empty()) continue;
    for (char& c : line) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte >= 0x7f) c = byte == '\t' ? ' ' : '?';
    }
    kept.push_back(std::move(line));
  }
  std::string out;
  for (std::size_t i = kept.size() > lines ? kept.size() - lines : 0; i < kept.size(); ++i) {
    if (!out.empty()) out += '\n';
    out += kept[i];
  }
  return out;
}

std::string panic_in(std::string_view line) {
  // The end of the trace repeats it: "---[ end Kernel panic - not syncing: ... ]---".
  const auto at = line.find("Kernel panic - not syncing");
  if (at == std::string_view::npos ||
      line.find("---[ end Kernel panic") != std::string_view::npos) {
    return {};
  }
  return std::string(line.substr(at, line.find_last_not_of("\r ") + 1 - at));
}

std::string panic_among(std::string_view lines) {
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    if (std::string panic = panic_in(lines.substr(0, end)); !panic.empty()) return panic;
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return {};
}

}  // namespace weir::pool
