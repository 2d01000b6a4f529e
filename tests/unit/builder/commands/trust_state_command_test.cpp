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

}  // namespace weir::builder
