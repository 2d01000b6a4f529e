#include "manifests/base/process_stat.h"

#include <charconv>
#include <vector>

namespace weir {

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

}  // namespace weir
