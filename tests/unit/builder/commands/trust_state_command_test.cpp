// What the commands that take a trust leave in its state.
#include <doctest/doctest.h>

#include "trusted_fixture.h"

namespace weir::builder {

TEST_CASE("a newer trust is remembered although its release, or the store, is withheld") {
  Trusted office;
  office.make();
  office.keys(
      "trust change t.json --revoke 'k.pub=laptop stolen' --add release=k2.pub --sign "
      "root.key --out t2.json");
  office.run("cp -r store torn && rm torn/releases/demo/release.json");
  for (const char* command : {"verify", "export --format kernel --out x", "provenance",
                              "sbom --format spdx", "rebuild --cache cache"}) {
    for (const char* withheld : {"nonesuch --store store", "demo --store torn", "demo --store x"}) {
      CAPTURE(command);
      CAPTURE(withheld);
      office.run("rm -f n n.lock");
      const std::string with = std::string(command) + " --state n --trust ";
      const auto missing = office.builder(with + "t2.json " + withheld + " 2>&1");
      CHECK(WEXITSTATUS(missing.status) == 1);
      CHECK_FALSE(has(missing, "laptop stolen"));
      const auto old = office.builder(with + "t.json demo --store store 2>&1");
      CHECK(WEXITSTATUS(old.status) == 1);
      CHECK_MESSAGE(has(old, "version 2 was accepted here before: somebody brings back an old"),
                    old.out);
    }
  }
}

TEST_CASE("a plan refuses a state that could not be kept, as the order does") {
  Trusted office;
  office.make();
  office.run("mkdir folder odd.lock");
  for (const char* command : {"export demo --format kernel --out x", "rebuild demo --cache cache",
                              "boot-check demo --timeout 1"}) {
    for (const std::string state : {"none/s", "/proc/s", "folder", "odd"}) {
      CAPTURE(command);
      CAPTURE(state);
      const std::string with =
          std::string(command) + " --store store --trust t.json --state " + state + " 2>&1";
      const auto plan = office.builder(with + " --plan");
      CHECK(WEXITSTATUS(plan.status) == 1);
      CHECK_MESSAGE(has(plan, state == "/proc/s" ? "/proc: " : state), plan.out);
      CHECK(WEXITSTATUS(office.builder(with).status) == 1);
    }
    const auto good = office.builder(std::string(command) +
                                     " --store store --trust t.json --state s --plan 2>&1");
    CHECK_MESSAGE(good.status == 0, good.out);
  }
  CHECK_FALSE(fs::exists(office.path() + "/s.lock"));
}

}  // namespace weir::builder
