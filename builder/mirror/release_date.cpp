#include "builder/mirror/release_date.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>

#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};

// A number of at most `digits` digits.
std::optional<unsigned> number(std::string_view text, std::size_t digits) {
  unsigned out = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || text.size() > digits || error != std::errc{} ||
      rest != text.data() + text.size()) {
    return std::nullopt;
  }
  return out;
}

// "a:b:c" and the like.
std::optional<std::array<std::string_view, 3>> three(std::string_view text, char between) {
  const auto first = text.find(between);
  const auto second = text.find(between, first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  return std::array{text.substr(0, first), text.substr(first + 1, second - first - 1),
                    text.substr(second + 1)};
}

bool is_utc(std::string_view zone) {
  if (zone == "GMT" || zone == "UTC" || zone == "Z") return true;
  if (zone.starts_with('+') || zone.starts_with('-')) zone.remove_prefix(1);
  return number(zone, 4) == 0U;
}

// What stands where differs, what it means does not.
struct Written {
  std::string_view day, month, year, clock, zone;
};

std::optional<Written> fields_of(const std::vector<std::string_view>& words) {
  if (words.empty()) return std::nullopt;
  const std::string_view weekday = words[0];
  const std::string start = ascii_lower(weekday.substr(0, 3));
  if (std::find(kDays.begin(), kDays.end(), start) == kDays.end()) return std::nullopt;
  if (weekday.size() == 3 && words.size() == 5) {
    return Written{words[2], words[1], words[4], words[3], "UTC"};
  }
  if (!weekday.ends_with(',')) return std::nullopt;
  if (weekday.size() == 4 && words.size() == 6) {
    return Written{words[1], words[2], words[3], words[4], words[5]};
  }
  if (weekday.size() > 4 && words.size() == 4) {
    const auto date = three(words[1], '-');
    if (date) return Written{(*date)[0], (*date)[1], (*date)[2], words[2], words[3]};
  }
  return std::nullopt;
}

}  // namespace

Result<std::int64_t> parse_date(std::string_view text) {
  const auto wrong = [&] {
    return fail(Errc::invalid_input, "'" + std::string(text.substr(0, 80)) + "' is not a date");
  };
  const auto written = fields_of(words_of(text));
  if (!written || !is_utc(written->zone)) return wrong();
  const auto month = std::find(kMonths.begin(), kMonths.end(), ascii_lower(written->month));
  const auto clock = three(written->clock, ':');
  if (month == kMonths.end() || !clock) return wrong();
  const auto day = number(written->day, 2), hour = number((*clock)[0], 2),
             minute = number((*clock)[1], 2), second = number((*clock)[2], 2);
  auto year = number(written->year, 4);
  if (!day || *day < 1 || *day > 31 || !hour || *hour > 23 || !minute || *minute > 59 || !second ||
      *second > 60 || !year || (written->year.size() != 4 && written->year.size() != 2)) {
    return wrong();
  }
  // RFC 9110, section 5.6.7: the century that puts it nearest; no archive is older than 1970.
  if (written->year.size() == 2) *year += *year < 70 ? 2000 : 1900;
  const std::chrono::year_month_day first{
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1), std::chrono::day(1)};
  const std::chrono::sys_days days = std::chrono::sys_days(first) + std::chrono::days(*day - 1);
  return std::int64_t{days.time_since_epoch().count()} * kDay + std::int64_t{*hour} * 3600 +
         std::int64_t{*minute} * 60 + *second;
}

}  // namespace weir::builder
