#include "builder/mirror/package_index.h"

#include <doctest/doctest.h>

#include <cctype>

#include "tests/unit/builder/lock/packages_fixture.h"

namespace weir::builder {

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

TEST_CASE("a paragraph that cannot be checked later costs that paragraph, and is said") {
  const std::string good = paragraph("a", "1"), other = paragraph("b", "1");
  for (const char* field : {"Package", "Version", "Architecture", "Filename", "Size", "SHA256"}) {
    std::string text = good;
    const auto at = text.find(std::string(field) + ": ");
    text.replace(at, 1, "X");
    CAPTURE(field);
    const auto alone = PackageIndex::parse(text, "stable", false);
    REQUIRE_FALSE(alone.has_value());
    CHECK(alone.error().message.find("line 1: ") == 0);
    CHECK(alone.error().message.find(field) != std::string::npos);
    const auto index = PackageIndex::parse(other + text, "stable", false);
    REQUIRE_MESSAGE(index.has_value(), index.error().message);
    REQUIRE(index->packages().size() == 1);
    CHECK(index->packages()[0].name == "b");
    CHECK(index->text() == other);
    REQUIRE(index->notes().size() == 1);
    CHECK(index->notes()[0].find("line 10: ") == 0);
    CHECK(index->notes()[0].find(field) != std::string::npos);
  }
  const auto loses = [&](const std::string& bad, const std::string& says) {
    CAPTURE(bad);
    const auto index = PackageIndex::parse(bad + other, "stable", false);
    REQUIRE_MESSAGE(index.has_value(), index.error().message);
    CHECK(index->packages().size() == 1);
    CHECK(index->text() == other);
    REQUIRE(index->notes().size() == 1);
    CHECK(index->notes()[0].find(says) != std::string::npos);
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  loses(with("Size: 3", "Size: 3x"), "line 1: a: Size is no number");
  loses(with("Version: 1", "Version: 1\nVersion: 1"), "line 3: 'Version' stands here twice");
  loses(with("Version: 1", "nonsense"), "line 2: is not 'Field: value'");
  loses(with("SHA256: ", "MD5sum: "), "by MD5 or SHA-1 somebody can make another package");
  loses(with("pool/main/a_1.deb", "../a_1.deb"), "line 1: a: Filename: '../a_1.deb' is not a file");
  loses(with("pool/main/a_1.deb", "pool/a 1.deb"), "Filename: 'pool/a 1.deb' is not a file");
  std::string many;
  for (int i = 0; i < 9; ++i) many += "nonsense\n\n";
  const auto index = PackageIndex::parse(many + good, "stable", false);
  REQUIRE(index.has_value());
  REQUIRE(index->notes().size() == 6);
  CHECK(index->notes().back() == "and 4 more paragraphs");
}

TEST_CASE("a Filename is the path that documents have, however the archive writes it") {
  for (const char* written : {"./pool/main/a_1.deb", "pool//main/a_1.deb", "/pool/main/a_1.deb",
                              "././/pool/./main///a_1.deb"}) {
    std::string text = paragraph("a", "1");
    const std::string plain = "pool/main/a_1.deb";
    text.replace(text.find(plain), plain.size(), written);
    CAPTURE(written);
    auto index = PackageIndex::parse(text, "stable", false);
    REQUIRE_MESSAGE(index.has_value(), index.error().message);
    CHECK(index->packages().at(0).path == plain);
    CHECK(index->notes().empty());
    const auto moved = std::move(*index);
    CHECK(moved.packages().at(0).path == plain);
  }
}

TEST_CASE("of two paragraphs of one version the first counts, which is said where they differ") {
  const std::string good = paragraph("a", "1"), other = paragraph("b", "1");
  const auto same = PackageIndex::parse(good + other + good, "stable", false);
  REQUIRE_MESSAGE(same.has_value(), same.error().message);
  CHECK(same->packages().size() == 2);
  CHECK(same->text() == good + other);
  CHECK(same->notes().empty());
  std::string changed = good;
  const std::string digest = Digest::of(as_bytes("a 1")).hex();
  changed.replace(changed.find(digest), 64, Digest::of(as_bytes("x")).hex());
  const auto differ = PackageIndex::parse(good + changed, "stable", false);
  REQUIRE(differ.has_value());
  REQUIRE(differ->packages().size() == 1);
  CHECK(differ->packages()[0].digest == Digest::of(as_bytes("a 1")));
  REQUIRE(differ->notes().size() == 1);
  CHECK(differ->notes()[0] ==
        "line 10: a: version 1 stands here twice, of different bytes: the first counts");
}

TEST_CASE("CRLF, digests in upper case, and a missing last line feed are read as apt reads them") {
  std::string text = paragraph("a", "1") + paragraph("b", "2");
  const std::string digest = Digest::of(as_bytes("a 1")).hex();
  std::string upper = digest;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  text.replace(text.find(digest), 64, upper);
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  crlf.resize(crlf.size() - 4);
  const auto index = PackageIndex::parse(crlf, "stable", false);
  REQUIRE_MESSAGE(index.has_value(), index.error().message);
  REQUIRE(index->packages().size() == 2);
  CHECK(index->packages()[0].digest == Digest::of(as_bytes("a 1")));
  CHECK(index->packages()[1].path == "pool/main/b_2.deb");
  CHECK(index->text().find('\r') == std::string::npos);
}

TEST_CASE("packages of other architectures are passed over where one is asked for") {
  const auto index = PackageIndex::parse(
      paragraph("a", "1") + paragraph("a", "1", {}, "arm64") + paragraph("b", "1", {}, "all"),
      "stable", false, "amd64");
  REQUIRE(index.has_value());
  CHECK(index->packages().size() == 2);
  CHECK(index->text() == paragraph("a", "1") + paragraph("b", "1", {}, "all"));
  CHECK(index->notes().empty());
}

}  // namespace weir::builder
