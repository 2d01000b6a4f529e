#include "builder/mirror/suite_source.h"

#include <doctest/doctest.h>

namespace weir::builder {

TEST_CASE("packages are Debian's unless a source has a name, and who publishes it another") {
  const auto of = [](const char* label, const char* origin, const char* said = "") {
    SuiteSource source{label, "stable"};
    source.vendor = said;
    return vendor_of(source, origin);
  };
  CHECK(of("bookworm", "Debian") == "");
  CHECK(of("bookworm", "somebody") == "");
  CHECK(of("mirror:bookworm-backports", "Debian Backports") == "");
  CHECK(of("frr:stable", "") == "frr");
  CHECK(of("Our_Own.Repo:./", "aptly") == "our-own.repo");
  // An archive of one's own that holds Debian's packages.
  CHECK(of("frozen:bookworm", "aptly", "debian") == "");
  CHECK(of("bookworm", "Debian", "ours") == "ours");
}

}  // namespace weir::builder
