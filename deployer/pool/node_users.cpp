#include "deployer/pool/node_users.h"

#include <charconv>
#include <optional>
#include <string>

namespace weir::pool {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace

Status check_subordinate_ids(std::string_view table, std::uint32_t id) {
  while (!table.empty()) {
    const std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(table.size(), line.size() + 1));
    const auto first_colon = line.find(':');
    if (first_colon == std::string_view::npos) continue;
    const auto second_colon = line.find(':', first_colon + 1);
    if (second_colon == std::string_view::npos) continue;
    const auto first = parse_number(line.substr(first_colon + 1, second_colon - first_colon - 1));
    const auto count = parse_number(line.substr(second_colon + 1));
    if (!first || !count || id < *first || id - *first >= *count) continue;
    return fail(Errc::busy, "id " + std::to_string(id) + " is lent to '" +
                                std::string(line.substr(0, first_colon)) + "' as a subordinate id");
  }
  return {};
}

}  // namespace weir::pool
