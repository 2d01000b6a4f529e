// What weir-builder writes, at a place where somebody's secret is.
#include <doctest/doctest.h>

#include <string>

#include "tests/text.h"
#include "tests/unit/builder/release/build_fixture.h"
#include "tests/unit/keys/secret_files.h"

namespace weir::builder {

TEST_CASE_FIXTURE(Fixture, "no output takes the place of a secret, whatever its kind") {
  (void)built();
  fs::create_directory(path() + "/kept");
  const auto secrets = test::make_secrets(path() + "/kept");
  const std::string from = " demo --store store --key k.pub";
  const auto refused = [&](const std::string& command, const std::string& place) {
    CAPTURE(command);
    const Outcome out = builder(command);
    CHECK(WEXITSTATUS(out.status) == 1);
    CHECK(test::has(out.out, place + ": is a"));
    CHECK(test::has(out.out, "which nothing may overwrite"));
  };
  for (const auto& secret : secrets) {
    const std::string place = "kept/" + secret.first;
    refused("sbom" + from + " --format spdx --out " + place, place);
    refused("export" + from + " --format disk --out " + place, place);
    CHECK(read(place) == secret.second);
  }

  const std::string place = "kept/identity", content = secrets.at("identity");
  for (const std::string& command :
       {"export" + from + " --format uki --plan --out " + place,
        "export" + from + " --format qcow2 --out " + place, "provenance" + from + " --out " + place,
        "lock image.yaml --plan --out " + place, "diff demo demo --store store --html " + place,
        "attest demo --store store --release-key k.pub --bytes " + place}) {
    refused(command, place);
  }
  // What is put beside an output has a place too.
  for (const char* ending : {".sbom.spdx.json", ".sbom.cdx.json", ".provenance.dsse.json"}) {
    write(std::string("disk") + ending, content);
    refused("export" + from + " --format disk --out disk", std::string("disk") + ending);
    CHECK(read(std::string("disk") + ending) == content);
    fs::remove(path() + "/disk" + ending);
  }
  for (const char* ending : {".digest", ".comment"}) {
    write(std::string("usb") + ending, content);
    refused("export-digest demo --store store --out usb", std::string("usb") + ending);
    CHECK(read(std::string("usb") + ending) == content);
    fs::remove(path() + "/usb" + ending);
  }
  CHECK(read(place) == content);
}

}  // namespace weir::builder
