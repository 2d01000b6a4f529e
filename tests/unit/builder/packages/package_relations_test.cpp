#include "builder/packages/package_relations.h"

#include <doctest/doctest.h>

namespace weir::builder {
namespace {

const std::vector<manifests::LockedPackage>& image() {
  static const std::vector<manifests::LockedPackage> kPackages = [] {
    std::vector<manifests::LockedPackage> out;
    for (const auto& [name, version] : std::initializer_list<std::pair<const char*, const char*>>{
             {"a", "1"}, {"b", "1:2.0-3"}, {"c", "5~rc1"}, {"d", "1"}}) {
      out.push_back({name, version, "amd64", "pool/x", {}, Digest::of({}), "demo", "asked for"});
    }
    return out;
  }();
  return kPackages;
}

// What `a` needs, when it says this.
std::vector<std::string> needs(const std::string& depends, const std::string& c_provides = "",
                               const std::string& d_provides = "") {
  const auto out = needs_among(image(), {{"a", {depends, "", "", ""}},
                                         {"c", {"", c_provides, "", ""}},
                                         {"d", {"", d_provides, "", ""}}});
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  return out->at("a");
}

using Names = std::vector<std::string>;

}  // namespace

// Versions order as dpkg --compare-versions has them.
TEST_CASE("relations to packages of the image count, with their versions") {
  CHECK(needs("b, c").size() == 2);
  CHECK(needs("b (>= 1:2.0), c (<< 5)") == Names{"b", "c"});
  CHECK(needs("b (>= 2:0), c (>= 5)").empty());
  CHECK(needs("b:any (= 1:2.0-3)") == Names{"b"});
  CHECK(needs("d|b,\n c") == Names{"c", "d"});
  CHECK(needs("b (>= 9:1) | d | c") == Names{"d"});
  CHECK(needs("a, elsewhere, ") == Names{});
  CHECK(needs("").empty());
}

// Debian policy 7.5.
TEST_CASE("what packages provide satisfies relations, with a version where one is stated") {
  CHECK(needs("virtual", "virtual", "virtual, more") == Names{"c", "d"});
  CHECK(needs("virtual (>= 1)", "virtual", "virtual (= 2)") == Names{"d"});
  CHECK(needs("b", "b") == Names{"b"});
  CHECK(needs("b (>= 9:1)", "", "b (= 9:1)") == Names{"d"});
}

TEST_CASE("a relation that is none is refused with its package") {
  for (const char* bad : {"b (>= 1", "b >= 1", "b ()", "b (1)", "(>= 1)", "b (>=)"}) {
    CAPTURE(bad);
    const auto out = needs_among(image(), {{"a", {bad, "", "", ""}}});
    REQUIRE_FALSE(out.has_value());
    CHECK(out.error().code == Errc::invalid_input);
    CHECK(out.error().message.find("package a: control: '") != std::string::npos);
  }
}

}  // namespace weir::builder
