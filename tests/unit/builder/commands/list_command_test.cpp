// weir-builder list and show over stores that are not as they should be, and over all that a
// release says.
#include <doctest/doctest.h>

#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {
namespace {

using nlohmann::json;

struct Listed : Fixture {
  Listed() { (void)built(); }
  // Another release of the store, made of the first one's documents.
  void copy(const std::string& name, const std::string& sed) const {
    run("cp -r store/releases/demo store/releases/" + name + " && sed -i '" + sed +
        "' store/releases/" + name + "/release.json");
  }
};

}  // namespace

TEST_CASE_FIXTURE(Listed, "list names a release that it cannot read, and goes on") {
  copy("also", "s/\"name\": \"demo\"/\"name\": \"also\"/");
  copy("broken", "s/sha256:/sha255:/");
  copy("old", "s/\"builder_version\"/\"builder\"/");
  run("rm -r store/releases/demo/release.json.minisig");
  const auto text = builder("list --store store 2> errors");
  CHECK(WEXITSTATUS(text.status) == 1);
  CHECK(text.out.find("also ") != std::string::npos);
  const std::string errors = read("errors");
  CHECK(errors.find("weir-builder list: broken: release: ") != std::string::npos);
  CHECK(
      errors.find("demo/release.json.minisig: No such file or directory; without its signature it "
                  "is no release: copy it from where it came from, or build it again") !=
      std::string::npos);
  CHECK(errors.find("old: release: ") != std::string::npos);
  const auto out = builder("list --store store --json 2> /dev/null");
  CHECK(WEXITSTATUS(out.status) == 1);
  const json list = json::parse(out.out);
  REQUIRE(list.size() == 4);
  CHECK(list[0].at("release") == "also");
  CHECK(list[0].at("version") == epoch);
  CHECK(list[0].at("channel") == "stable");
  CHECK(list[1].at("release") == "broken");
  CHECK(list[1].at("error").get<std::string>().find("release: ") != std::string::npos);
  CHECK(list[2].contains("error"));
  CHECK(list[3].contains("error"));
  run("rm -r store/releases/broken store/releases/old store/releases/demo");
  CHECK(builder("list --store store").status == 0);
}

TEST_CASE_FIXTURE(Fixture, "a release that waits for its signature is not taken for none") {
  REQUIRE(builder("build image.yaml --unsigned --store store --cache cache").status == 0);
  for (const char* command : {"verify demo --store store --key k.pub", "show demo --store store"}) {
    const auto refused = builder(std::string(command) + " 2>&1");
    CHECK(WEXITSTATUS(refused.status) == 1);
    CHECK_MESSAGE(
        refused.out.find("release 'demo' in the store store waits for its signature: weir-builder "
                         "attach-signature") != std::string::npos,
        refused.out);
  }
  CHECK(builder("verify other --store store --key k.pub 2>&1").out.find("(it is empty)") !=
        std::string::npos);
  const auto text = builder("list --store store");
  CHECK(text.status == 0);
  CHECK(text.out ==
        "demo                     waits for its signature: weir-builder attach-signature\n");
  CHECK(json::parse(builder("list --store store --json").out) ==
        json::parse(R"([{"release": "demo", "waits_for_signature": true}])"));
  // Signed, and a newer document waits.
  (void)built();
  CHECK(json::parse(builder("list --store store --json").out).size() == 2);
}

TEST_CASE_FIXTURE(Listed, "a release of an older build is called that") {
  auto document = nlohmann::ordered_json::parse(read("store/releases/demo/release.json"));
  document.at("modules")[0].erase("signature_key");
  write("store/releases/demo/release.json", document.dump(2));
  run("minisign -S -s k.key -x store/releases/demo/release.json.minisig -m "
      "store/releases/demo/release.json > /dev/null");
  for (const char* command : {"show demo --store store", "verify demo --store store --key k.pub"}) {
    const auto refused = builder(std::string(command) + " 2>&1");
    CHECK(WEXITSTATUS(refused.status) == 1);
    CHECK_MESSAGE(
        refused.out.find("modules[0].signature_key: missing: an older build of Weir made "
                         "this release, or somebody cut it: build it again") != std::string::npos,
        refused.out);
  }
}

TEST_CASE_FIXTURE(Listed, "show says all that a release says, and nothing of what it does not") {
  terms("version: 7, channel: lab, replaces_from: 3");
  lock();
  (void)built();
  const std::string out = builder("show demo --store store").out;
  const json document = release();
  const auto says = [&](const std::string& text) {
    CAPTURE(text);
    CHECK(out.find(text) != std::string::npos);
  };
  says("digest         sha256:" +
       run("sha256sum < store/releases/demo/release.json").substr(0, 64));
  says("version        7 of channel lab");
  says("  replaces     version 3 or later");
  says("  expires      2033-11-11T22:13:20Z");
  says("  image        " + document.at("kernel").at("image").at("digest").get<std::string>());
  const json& module = document.at("modules")[0];
  says("module         one 3\n");  // it states no srcversion
  says("  vermagic     " + module.at("vermagic").get<std::string>() + "\n");
  says("  digest       " + module.at("digest").get<std::string>());
  says("  signed with  no key");
  says("tool           tool 1.0");
  says("scan           for secrets, rules " + document.at("scan").at("rules").dump() + ": " +
       document.at("scan").at("files").dump() + " files, ");
  for (const json& layer : document.at("layers")) {
    says(layer.at("blob").at("digest").get<std::string>() + "\n");
  }
  CHECK(out.find(", srcversion \n") == std::string::npos);
  CHECK(out.find(" ,") == std::string::npos);
}

}  // namespace weir::builder
