#include "deployer/pool/process_stat.h"

#include <charconv>
#include <vector>

namespace weir::pool {

Result<ProcessStat> parse_process_stat(std::string_view text) {
  const auto malformed = [] { return fail(Errc::invalid_input, "not a /proc/PID/stat line"); };
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return malformed();
  text.remove_prefix(name_end + 1);
  std::vector<std::string_view> fields;  // from field 3 on
  while (fields.size() < 20) {
    const auto begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) return malformed();
    text.remove_prefix(begin);
    const auto end = text.find_first_of(" \n");
    fields.push_back(text.substr(0, end));
    text.remove_prefix(fields.back().size());
  }
  ProcessStat out;
  if (fields[0].size() != 1) return malformed();
  out.state = fields[0][0];
  const std::string_view ticks = fields[19];
  const auto [rest, error] =
      std::from_chars(ticks.data(), ticks.data() + ticks.size(), out.start_ticks);
  if (error != std::errc() || rest != ticks.data() + ticks.size()) return malformed();
  return out;
}

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
