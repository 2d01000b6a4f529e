#include "deployer/pool/console_tail.h"

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

}  // namespace weir::pool
