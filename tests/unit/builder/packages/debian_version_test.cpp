#include "builder/packages/debian_version.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/images/scratch.h"

namespace weir::builder {

TEST_CASE("versions are ordered as dpkg orders them, what is absent included") {
  const std::vector<std::string> versions = {
      "1.0~rc1", "1.0",    "1.0-1", "1.0-1+deb12u1", "1.0-10", "1:0.9", "2",  "1.0-1+b2",
      "0:1.0",   "1.0-~1", "1.0-0", "1.0-00",        "1a",     "1a0",   "1.", "1.0+dfsg-1"};
  const auto dpkg_says = [](const std::string& a, const char* relation, const std::string& b) {
    int status = 0;
    test::output_of("dpkg --compare-versions '" + a + "' " + relation + " '" + b + "'", &status);
    return status == 0;
  };
  for (const auto& a : versions) {
    for (const auto& b : versions) {
      CAPTURE(a);
      CAPTURE(b);
      CHECK(std::is_lt(compare_versions(a, b)) == dpkg_says(a, "lt", b));
      CHECK(std::is_eq(compare_versions(a, b)) == dpkg_says(a, "eq", b));
    }
  }
}

TEST_CASE("numbers in versions have no largest value") {
  const std::string nines(40, '9');
  CHECK(std::is_lt(compare_versions("1." + nines, "1.1" + nines)));
  CHECK(std::is_eq(compare_versions("1.000" + nines, "1." + nines)));
}

}  // namespace weir::builder
