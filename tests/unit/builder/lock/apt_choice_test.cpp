// What is chosen among alternatives and providers, held to apt.
#include <doctest/doctest.h>

#include "solver_fixture.h"

namespace weir::builder {

TEST_CASE("among alternatives and providers the choice is apt's") {
  using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  const auto needs = [](const char* depends) {
    return paragraph("a", "1", {{"Depends", depends}});
  };
  const std::string aa = paragraph("aa", "1"), bb = paragraph("bb", "1");
  const auto provider = [](const char* name, Fields more = {}) {
    std::string text = paragraph(name, "1", {{"Provides", "v (= 2)"}});
    for (const auto& [field, value] : more) {
      text.insert(text.find("Filename:"), std::string(field) + ": " + std::string(value) + "\n");
    }
    return text;
  };
  struct Case {
    const char* about;
    std::string index;
    std::set<std::string> expected;
  };
  const std::vector<Case> cases = {
      {"the first alternative", needs("bb | aa") + aa + bb, {"a 1", "bb 1"}},
      {"whatever the order of the index", needs("aa | bb") + bb + aa, {"a 1", "aa 1"}},
      {"the second where the first is not there", needs("gone | aa") + aa, {"a 1", "aa 1"}},
      {"none where one is in anyway",
       paragraph("a", "1", {{"Depends", "x | aa, y"}, {"Pre-Depends", "aa"}}) + aa +
           paragraph("x", "1") + paragraph("y", "1"),
       {"a 1", "aa 1", "y 1"}},
      {"both where the first was taken before the second was needed",
       needs("aa | bb, bb") + aa + bb,
       {"a 1", "aa 1", "bb 1"}},
      {"a real package before a provider of its name",
       needs("v") + provider("p") + paragraph("v", "1") + provider("q"),
       {"a 1", "v 1"}},
      {"a provider where the real one is too old",
       needs("v (>= 2)") + paragraph("v", "1") + provider("p"),
       {"a 1", "p 1"}},
      {"an essential provider",
       needs("v") + provider("p", {{"Essential", "yes"}}) + provider("q"),
       {"a 1", "p 1"}},
      {"an important one before one of high priority",
       needs("v") + provider("p", {{"Important", "yes"}, {"Priority", "optional"}}) +
           provider("q", {{"Priority", "required"}}),
       {"a 1", "p 1"}},
      {"the provider of higher priority",
       needs("v") + provider("p", {{"Priority", "standard"}}) +
           provider("q", {{"Priority", "optional"}}),
       {"a 1", "p 1"}},
      {"of equal providers the last", needs("v") + provider("p") + provider("q"), {"a 1", "q 1"}},
      {"a provider of the first alternative before the second itself",
       needs("v | bb") + bb + provider("p"),
       {"a 1", "p 1"}},
      {"not what conflicts with what is in",
       paragraph("a", "1", {{"Depends", "x, aa | bb"}}) + paragraph("aa", "1") + bb +
           paragraph("x", "1", {{"Conflicts", "aa"}}),
       {"a 1", "bb 1", "x 1"}},
      {"not what needs what is not there",
       needs("aa | bb") + paragraph("aa", "1", {{"Depends", "gone"}}) + bb,
       {"a 1", "bb 1"}},
      {"the newest version alone, though an older one would do",
       needs("aa (<< 2) | bb") + aa + paragraph("aa", "2") + bb,
       {"a 1", "bb 1"}},
      {"a package of the machine's own architecture by its full name",
       needs("aa:amd64 (>= 1), bb:any | cc:i386, cc:amd64 | dd:amd64") + aa +
           paragraph("bb", "1", {{"Multi-Arch", "allowed"}}) + paragraph("dd", "1", {}, "all"),
       {"a 1", "aa 1", "bb 1", "dd 1"}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.about);
    CHECK(by_us(each.index, "a") == each.expected);
    CHECK(by_apt(each.index, "a") == each.expected);
  }
}

TEST_CASE("what apt cannot install, because its first choice ends at a conflict, is found") {
  // aa is taken for `a`; only then `z` is met, which cannot be together with it.
  const std::string text = paragraph("a", "1", {{"Depends", "aa | bb, z"}}) + paragraph("aa", "1") +
                           paragraph("bb", "1") + paragraph("z", "1", {{"Conflicts", "aa"}});
  CHECK(by_us(text, "a") == std::set<std::string>{"a 1", "bb 1", "z 1"});
}

TEST_CASE("relations that go round, and ones that lead nowhere many times over, come to an end") {
  std::string text = paragraph("a", "1", {{"Depends", "l0 | r0"}});
  for (int i = 0; i < 60; ++i) {
    const std::string next =
        i == 59 ? "gone" : "l" + std::to_string(i + 1) + " | r" + std::to_string(i + 1);
    for (const char* side : {"l", "r"}) {
      text += paragraph(side + std::to_string(i), "1", {{"Depends", next}});
    }
  }
  const auto none = resolve_one(with_stand_ins({"a"}), kKernels + text);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == Errc::not_found);
  const std::string round = paragraph("a", "1", {{"Depends", "b"}}) +
                            paragraph("b", "1", {{"Depends", "c | d"}}) +
                            paragraph("c", "1", {{"Depends", "a, b"}}) + paragraph("d", "1");
  CHECK(by_us(round, "a") == std::set<std::string>{"a 1", "b 1", "c 1"});
}

TEST_CASE("of alternatives, an update keeps the one that the lock has") {
  const std::string text = kKernels + paragraph("tool", "2", {{"Depends", "aa | bb"}}) +
                           paragraph("aa", "1") + paragraph("bb", "1");
  std::vector<PackageIndex> indices;
  indices.push_back(index(text));
  Kept kept;
  const auto whole = resolve(with_stand_ins({"tool", "bb"}), indices);
  REQUIRE(whole.has_value());
  kept.packages = {named(*whole, "bb")};
  const auto out = resolve(with_stand_ins({"tool"}), indices, kept);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(names(*out) == std::vector<std::string>{"bb", "linux-image-6.1.0-10-cloud-amd64", "tool"});
}

}  // namespace weir::builder
