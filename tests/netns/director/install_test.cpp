// Installing, reading back, changing and removing, without a single packet of a client.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/netns/director/lab.h"
#include "tests/unit/director/fixture.h"

using namespace weir::director;
using namespace weir::director::test;
using weir::Errc;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what is installed and applied is what is read, by us and by nft") {
  Lab lab({node("blue-1"), node("blue-2")});
  const Steering want = lab.change([](Steering& s) {
    const auto version = s.version;
    s = steering();
    s.version = version;
  });
  const auto observed = lab.director().read();
  REQUIRE(observed);
  CHECK(observed->steering == want);
  CHECK(observed->learned.homes.empty());
  CHECK(observed->learned.inner.empty());
  // nft prints marks with eight digits.
  const auto homes = lab.host().exec("nft list map inet weir home4").text;
  CHECK(has(homes, "198.51.100.1 . 4000 : 0x00000001"));
  const auto kicks = lab.host().exec("nft list set inet weir kick4").text;
  CHECK(has(kicks, "0x00000003 . 198.51.100.1 . 4000"));
  const auto holds = lab.host().exec("nft list set inet weir hold6").text;
  CHECK(has(holds, "0x00000003 . 2001:db8:1::2 . 4001"));
  CHECK(has(lab.host().exec("nft list map inet weir assigned4_24").text, "10.9.1.0 : 0x00000001"));
  CHECK(has(lab.host().exec("nft list set inet weir version").text, "0x00000000 . 0x00000002"));
  CHECK(lab.host().exec("nft list ruleset").status == 0);
}
