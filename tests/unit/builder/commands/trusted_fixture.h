#pragma once

#include <doctest/doctest.h>

#include <string>

#include "tests/folders.h"
#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {

/// A fixture whose releases have versions, with a root key and a trust of version 1.
struct Trusted : Fixture {
  Trusted() {
    run("minisign -G -W -p root.pub -s root.key > /dev/null");
    run("minisign -G -W -p k2.pub -s k2.key > /dev/null");
    keys(
        "trust init --out t.json --expires 2099-01-01 --add root=root.pub --add release=k.pub "
        "--sign root.key");
    version(5);
  }
  void version(int number, const std::string& more = "") {
    terms("version: " + std::to_string(number) + more);
    lock();
  }
  void keys(const std::string& arguments) const {
    int status = 0;
    const std::string out =
        test::output_of("cd " + path() + " && env -u WEIR_PASSPHRASE " + test::build_folder() +
                            "/bin/weir-keys " + arguments + " 2>&1",
                        &status);
    REQUIRE_MESSAGE(status == 0, out);
  }
  [[nodiscard]] Outcome verify(const std::string& more = "--state s",
                               const std::string& trust = "t.json") const {
    return builder("verify demo --store store --trust " + trust + " " + more + " 2>&1");
  }
  void make() const {
    const Outcome out = build();
    REQUIRE_MESSAGE(out.status == 0, out.out);
  }
};

inline bool has(const Fixture::Outcome& outcome, const std::string& text) {
  return outcome.out.find(text) != std::string::npos;
}

}  // namespace weir::builder
