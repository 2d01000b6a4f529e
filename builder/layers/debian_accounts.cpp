#include "builder/layers/debian_accounts.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "builder/packages/whole_number.h"
#include "manifests/documents/accepted_entries.h"

namespace weir::builder {
namespace {

using Account = std::pair<std::string_view, std::uint32_t>;

constexpr Account kUsers[] = {
    {"root", 0},      {"daemon", 1},  {"bin", 2},   {"sys", 3},  {"sync", 4},  {"games", 5},
    {"man", 6},       {"lp", 7},      {"mail", 8},  {"news", 9}, {"uucp", 10}, {"proxy", 13},
    {"www-data", 33}, {"backup", 34}, {"list", 38}, {"irc", 39}, {"_apt", 42}, {"nobody", kNobody}};

constexpr Account kGroups[] = {
    {"root", 0},      {"daemon", 1},  {"bin", 2},          {"sys", 3},       {"adm", 4},
    {"tty", 5},       {"disk", 6},    {"lp", 7},           {"mail", 8},      {"news", 9},
    {"uucp", 10},     {"man", 12},    {"proxy", 13},       {"kmem", 15},     {"dialout", 20},
    {"fax", 21},      {"voice", 22},  {"cdrom", 24},       {"floppy", 25},   {"tape", 26},
    {"sudo", 27},     {"audio", 29},  {"dip", 30},         {"www-data", 33}, {"backup", 34},
    {"operator", 37}, {"list", 38},   {"irc", 39},         {"src", 40},      {"shadow", 42},
    {"utmp", 43},     {"video", 44},  {"sasl", 45},        {"plugdev", 46},  {"staff", 50},
    {"games", 60},    {"users", 100}, {"nogroup", kNobody}};

template <std::size_t N>
std::optional<std::uint32_t> id_in(const Account (&accounts)[N], std::string_view name) {
  const auto* found = std::find_if(std::begin(accounts), std::end(accounts),
                                   [&](const Account& each) { return each.first == name; });
  if (found == std::end(accounts)) return std::nullopt;
  return found->second;
}

std::vector<std::string> fields_of(std::string_view line, char separator) {
  std::vector<std::string> out;
  for (;;) {
    const auto end = std::min(line.find(separator), line.size());
    out.emplace_back(line.substr(0, end));
    if (end == line.size()) return out;
    line.remove_prefix(end + 1);
  }
}

// Calls `use` with the fields of each line but root's.
template <class Use>
void each_account(std::string_view text, std::size_t fields, Use use) {
  for (const std::string& line : fields_of(text, '\n')) {
    const auto all = fields_of(line, ':');
    if (all.size() == fields && all[0] != "root" && manifests::is_user_name(all[0])) use(all);
  }
}

}  // namespace

std::vector<manifests::LockedUser> users_in(std::string_view passwd) {
  std::vector<manifests::LockedUser> out;
  each_account(passwd, 7, [&](const std::vector<std::string>& line) {
    const auto id = parse_whole<std::uint32_t>(line[2]),
               group = parse_whole<std::uint32_t>(line[3]);
    if (id && group) out.push_back({line[0], *id, *group, line[5], line[6]});
  });
  return out;
}

std::vector<manifests::LockedGroup> groups_in(std::string_view group) {
  std::vector<manifests::LockedGroup> out;
  each_account(group, 4, [&](const std::vector<std::string>& line) {
    const auto id = parse_whole<std::uint32_t>(line[2]);
    if (!id) return;
    out.push_back({line[0], *id});
    if (!line[3].empty()) out.back().members = fields_of(line[3], ',');
  });
  return out;
}

std::optional<std::uint32_t> debian_user_id(std::string_view name) {
  return id_in(kUsers, name);
}

std::optional<std::uint32_t> debian_group_id(std::string_view name) {
  return id_in(kGroups, name);
}

std::string_view debian_group_name(std::uint32_t id) {
  const auto* found = std::find_if(std::begin(kGroups), std::end(kGroups),
                                   [&](const Account& each) { return each.second == id; });
  return found == std::end(kGroups) ? std::string_view() : found->first;
}

}  // namespace weir::builder
