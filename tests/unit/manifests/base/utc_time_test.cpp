#include "manifests/base/utc_time.h"

#include <doctest/doctest.h>

namespace weir {

// Expected seconds: GNU date, `date -u -d TEXT +%s`.
TEST_CASE("times are read and written as date does it") {
  const struct {
    const char* text;
    std::int64_t seconds;
  } cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2000-02-29T12:34:56Z", 951827696},
      {"2027-11-22T00:00:00Z", 1826841600},
      {"2100-03-01T00:00:00Z", 4107542400},
      {"9999-12-31T23:59:59Z", 253402300799},
  };
  for (const auto& [text, seconds] : cases) {
    const auto& shown = text;  // clang 14 captures no structured binding
    CAPTURE(shown);
    CHECK(UtcTime::parse(text).value().seconds == seconds);
    CHECK(UtcTime{seconds}.string() == text);
  }
  CHECK(UtcTime::parse("2027-11-22").value().seconds == 1826841600);
}

TEST_CASE("what is not a time is refused") {
  for (const char* text :
       {"", "2027", "2027-11-31", "2027-13-01", "2027-11-22T24:00:00Z", "2027-11-22T00:00:00",
        "2027-11-22T00:00:00+01:00", "2027-11-22T00:00:60Z", "2027-11-22 00:00:00Z", "1969-12-31",
        "2027-11-22Z", "27-11-22", "2027-1-2", "2027-11-22T00:00:00Zx"}) {
    CAPTURE(text);
    CHECK(UtcTime::parse(text).error().code == Errc::invalid_input);
  }
}

}  // namespace weir
