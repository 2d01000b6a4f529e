#include "manifests/base/utc_time.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace weir {
namespace {

constexpr std::int64_t kLast = 253402300799;  // 9999-12-31T23:59:59Z

/// Reads exactly `digits` digits.
bool take(std::string_view& text, int digits, int& out) {
  out = 0;
  for (int i = 0; i < digits; ++i) {
    if (text.empty() || text.front() < '0' || text.front() > '9') return false;
    out = out * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  return true;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Result<UtcTime> UtcTime::parse(std::string_view text) {
  const std::string_view whole = text;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  bool good = take(text, 4, year) && take(text, '-') && take(text, 2, month) && take(text, '-') &&
              take(text, 2, day);
  if (good && !text.empty()) {
    good = take(text, 'T') && take(text, 2, hour) && take(text, ':') && take(text, 2, minute) &&
           take(text, ':') && take(text, 2, second) && take(text, 'Z') && text.empty();
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!good || !date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 59) {
    return fail(Errc::invalid_input, "'" + std::string(whole.substr(0, 40)) +
                                         "' is not a time such as 2027-11-22T00:00:00Z");
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return UtcTime{((days * 24 + hour) * 60 + minute) * 60 + second};
}

std::string UtcTime::string() const {
  const std::int64_t clamped = seconds < 0 ? 0 : seconds > kLast ? kLast : seconds;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(clamped / 86400))};
  const int rest = static_cast<int>(clamped % 86400);
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), rest / 3600, rest / 60 % 60, rest % 60);
  return out.data();
}

}  // namespace weir
