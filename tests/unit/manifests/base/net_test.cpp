#include "manifests/base/net.h"

#include <doctest/doctest.h>

namespace weir {

TEST_CASE("addresses are printed in RFC 5952 form") {
  CHECK(IpAddress::parse("2001:0db8:0:0:0:0:0:1")->string() == "2001:db8::1");
  CHECK(IpAddress::parse("192.0.2.1")->string() == "192.0.2.1");
  for (const char* bad : {"", "192.0.2", "192.0.2.256", "::1%eth0", "1.2.3.4/8", " ::1"}) {
    CAPTURE(bad);
    CHECK_FALSE(IpAddress::parse(bad).has_value());
  }
}

TEST_CASE("plus carries through bytes") {
  CHECK(IpAddress::parse("10.0.0.255")->plus(1).string() == "10.0.1.0");
  CHECK(IpAddress::parse("fd00::ffff")->plus(2).string() == "fd00::1:1");
}

TEST_CASE("a prefix has no host bits and knows what it contains") {
  CHECK(Prefix::parse("10.0.0.0/8")->contains(*IpAddress::parse("10.255.0.1")));
  CHECK_FALSE(Prefix::parse("10.0.0.0/9")->contains(*IpAddress::parse("10.128.0.1")));
  CHECK_FALSE(Prefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("::1")));
  CHECK(Prefix::parse("fd00::1")->string() == "fd00::1/128");
  CHECK(Prefix::parse("10.0.0.0/8")->overlaps(*Prefix::parse("10.1.0.0/16")));
  CHECK_FALSE(Prefix::parse("10.0.0.0/16")->overlaps(*Prefix::parse("10.1.0.0/16")));
  for (const char* bad : {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/ 8", "::/129"}) {
    CAPTURE(bad);
    CHECK_FALSE(Prefix::parse(bad).has_value());
  }
}

TEST_CASE("endpoints bracket IPv6 and only IPv6") {
  CHECK(Endpoint::parse("[2001:db8::1]:51820")->string() == "[2001:db8::1]:51820");
  CHECK(Endpoint::parse("192.0.2.1:1")->port == 1);
  for (const char* bad : {"192.0.2.1", "192.0.2.1:0", "192.0.2.1:65536", "2001:db8::1:51820",
                          "[192.0.2.1]:5", "[::1]", ":5"}) {
    CAPTURE(bad);
    CHECK_FALSE(Endpoint::parse(bad).has_value());
  }
}

}  // namespace weir
