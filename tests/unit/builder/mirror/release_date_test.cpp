#include "builder/mirror/release_date.h"

#include <doctest/doctest.h>

namespace weir::builder {

TEST_CASE("dates agree with date(1)") {
  constexpr std::int64_t kDate = 1795227046;  // date -d "Sat, 21 Nov 2026 02:10:46 UTC" +%s
  CHECK(parse_date("Thu, 01 Jan 1970 00:00:00 UTC") == 0);
  CHECK(parse_date("Thu, 29 Feb 2024 23:59:59 +0000") == 1709251199);
  for (const char* same : {"Sat, 21 Nov 2026 02:10:46 UTC", "Sat, 21 Nov 2026 02:10:46 GMT",
                           "Sat, 21 Nov 2026 2:10:46 Z", "sat, 21 nov 2026 02:10:46 -0000",
                           "Fri, 21 Nov 2026 02:10:46 UTC", "Saturday, 21-Nov-26 02:10:46 GMT",
                           "Sat Nov 21 02:10:46 2026", "  Sat,  21 Nov 2026  02:10:46 UTC "}) {
    CAPTURE(same);
    CHECK(parse_date(same) == kDate);
  }
  CHECK(parse_date("Sun, 1 Nov 2026 02:10:46 UTC") == 1793499046);
  for (const char* bad : {"", "Sat, 21 Nov 2026 02:10:46", "Sat, 21 Nov 2026 24:10:46 UTC",
                          "Sat, 21 Nov 2026 02:10:46 CET", "Sat, 21 Nov 2026 02:10:46 +0100",
                          "21 Nov 2026 02:10:46 UTC", "Sat, 21 Foo 2026 02:10:46 UTC",
                          "Sat, 32 Nov 2026 02:10:46 UTC", "Sat, 21 Nov 2026 02:10 UTC",
                          "2026-11-21 02:10:46", "Sat, 21 Nov 2026 02:10:46 UTC x"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_date(bad).has_value());
  }
}

}  // namespace weir::builder
