#include "builder/lock/explanation.h"

#include <doctest/doctest.h>

#include "solver_fixture.h"

namespace weir::builder {

TEST_CASE("a choice is explained: the way to it, who was passed by and why, and other versions") {
  const std::string text = kKernels + paragraph("tool", "1", {{"Depends", "middle (>= 1)"}}) +
                           paragraph("middle", "1", {{"Depends", "good | late, v"}}) +
                           paragraph("good", "1.0") + paragraph("good", "1.1") +
                           paragraph("late", "1") + paragraph("v", "3") +
                           paragraph("w", "1", {{"Provides", "v"}}) + paragraph("unneeded", "1");
  std::vector<PackageIndex> indices;
  indices.push_back(index(text));
  const auto out = resolve(with_stand_ins({"tool"}), indices, {},
                           {"good", "late", "v", "tool", "kmod", "unneeded"});
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  REQUIRE(out->explanations.size() == 6);
  CHECK(print(out->explanations[0]) ==
        "good 1.1 (stable) is in the image\n"
        "  tool: asked for\n"
        "  tool needs middle (>= 1)\n"
        "    middle\n"
        "  middle needs good | late\n"
        "    good\n"
        "      not late 1 (stable): a later alternative\n"
        "  other versions\n"
        "    1.0 (stable): older\n");
  CHECK(print(out->explanations[1]) ==
        "late is not in the image: what needs it, or something like it, has others\n"
        "  middle needs good | late\n"
        "    good\n"
        "      not late 1 (stable): a later alternative\n"
        "  other versions\n"
        "    1 (stable): the package is not in the image\n");
  CHECK(out->explanations[2].way.back().instead_of.at(0).package == "w");
  CHECK(out->explanations[2].way.back().instead_of.at(0).because == "only provides that name");
  CHECK(print(out->explanations[3]) == "tool 1 (stable) is in the image\n  tool: asked for\n");
  CHECK(out->explanations[4].stands_in);
  CHECK(print(out->explanations[5]).starts_with("unneeded is not in the image: nothing in it"));
}

TEST_CASE(
    "an unknown name spoils no explanation, and a name that is only provided has its providers") {
  std::vector<PackageIndex> indices;
  indices.push_back(index(kKernels + paragraph("tool", "1", {{"Depends", "good, mta"}}) +
                          paragraph("good", "1") + paragraph("amta", "1", {{"Provides", "mta"}}) +
                          paragraph("bmta", "1", {{"Provides", "mta"}}) +
                          paragraph("bmta", "2", {{"Provides", "mta (= 2)"}})));
  const auto out = resolve(with_stand_ins({"tool", "bmta"}), indices, {}, {"godo", "mta", "good"});
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  REQUIRE(out->explanations.size() == 3);
  CHECK(out->explanations[0].unknown);
  CHECK(print(out->explanations[0]) ==
        "godo: no suite has it, and nothing provides it; closest: good\n");
  CHECK(print(out->explanations[1]) ==
        "mta is no package, but a name that packages provide\n"
        "  bmta 2 (stable): is in the image\n"
        "  amta 1 (stable): is not in the image\n");
  CHECK(out->explanations[2].in_image);
}

TEST_CASE("what was passed by because of a conflict says with what") {
  const auto out = [] {
    std::vector<PackageIndex> indices;
    indices.push_back(index(kKernels + paragraph("a", "1", {{"Depends", "x, aa | broken | bb"}}) +
                            paragraph("aa", "1") + paragraph("bb", "1") +
                            paragraph("broken", "1", {{"Depends", "gone"}}) +
                            paragraph("x", "1", {{"Conflicts", "aa"}})));
    return resolve(with_stand_ins({"a"}), indices, {}, {"bb"});
  }();
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  CHECK(print(out->explanations.at(0))
            .find("      not aa 1 (stable): conflicts with x\n"
                  "      not broken 1 (stable): what it needs itself cannot be had\n") !=
        std::string::npos);
}

}  // namespace weir::builder
