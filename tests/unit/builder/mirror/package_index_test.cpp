#include "builder/mirror/package_index.h"

#include <doctest/doctest.h>

#include "tests/unit/builder/lock/packages_fixture.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {

using test::output_of;

TEST_CASE("an index finds all versions of a package") {
  const auto index = PackageIndex::parse(
      paragraph("b", "1") + paragraph("a", "2") + paragraph("a", "1") + paragraph("a-b", "1"),
      "stable", false);
  REQUIRE_MESSAGE(index.has_value(), index.error().message);
  const auto [first, last] = index->named("a");
  REQUIRE(last - first == 2);
  CHECK(first->version == "2");
  CHECK(first->path == "pool/main/a_2.deb");
  CHECK(first->size == ByteCount{3});
  CHECK(first->digest == Digest::of(as_bytes("a 2")));
  const auto [none, end] = index->named("zz");
  CHECK(none == end);
}

TEST_CASE("a paragraph that cannot be checked later is refused now") {
  const std::string good = paragraph("a", "1");
  for (const char* field : {"Package", "Version", "Architecture", "Filename", "Size", "SHA256"}) {
    std::string text = good;
    const auto at = text.find(std::string(field) + ": ");
    text.replace(at, 1, "X");
    CAPTURE(field);
    const auto index = PackageIndex::parse(text, "stable", false);
    REQUIRE_FALSE(index.has_value());
    CHECK(index.error().message.find("line 1") != std::string::npos);
    CHECK(index.error().message.find(field) != std::string::npos);
  }
  CHECK_FALSE(PackageIndex::parse(good + good, "stable", false).has_value());
  std::string size = good;
  size.replace(size.find("Size: 3"), 7, "Size: 3x");
  CHECK_FALSE(PackageIndex::parse(size, "stable", false).has_value());
}

TEST_CASE("xz files of xz(1) are unpacked within limits, damaged ones refused") {
  const std::string packed = output_of("printf 'hello world' | xz -c");
  REQUIRE(packed.size() > 20);
  CHECK(decode_xz(packed, ByteCount{11}) == std::string("hello world"));
  CHECK(decode_xz(packed + packed, ByteCount{22}) == std::string("hello worldhello world"));
  CHECK(decode_xz(packed, ByteCount{10}).error().code == Errc::exhausted);
  CHECK(decode_xz(packed.substr(0, packed.size() - 4), ByteCount{11}).error().code ==
        Errc::integrity);
  CHECK(decode_xz(packed + "x", ByteCount{11}).error().code == Errc::integrity);
  CHECK(decode_xz("", ByteCount{11}).error().code == Errc::integrity);
  for (std::size_t at = 0; at < packed.size(); ++at) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    CAPTURE(at);
    CHECK_FALSE(decode_xz(damaged, ByteCount{11}).has_value());
  }
  const std::string bomb = output_of("head -c 10000000 /dev/zero | xz -c");
  CHECK(decode_xz(bomb, ByteCount{1000}).error().code == Errc::exhausted);
}

}  // namespace weir::builder
