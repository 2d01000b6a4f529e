// What the programs write, judged by the schemas: with python3-jsonschema, and with weir-builder
// validate, which knows each document from its text.
#include <doctest/doctest.h>

#include "tests/folders.h"
#include "tests/schemas/judge.h"
#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {
namespace {

using nlohmann::json;

struct Writer : Fixture {
  void keys(const std::string& arguments) const {
    run("env -u WEIR_PASSPHRASE " + test::build_folder() + "/bin/weir-keys " + arguments +
        " > /dev/null");
  }
  void judged(const std::string& schema, const std::string& file, bool yaml = false) const {
    CAPTURE(schema);
    CAPTURE(read(file));
    CHECK(test::judged_by_schema({{schema, read(file), yaml}}) == std::vector<std::string>{""});
    CHECK(builder("validate " + file).out == file + ": valid " + schema + "\n");
  }
  [[nodiscard]] std::string found(const std::string& where) const {
    const std::string path = run("find store/" + where);
    return path.substr(0, path.find('\n'));
  }
};

}  // namespace

TEST_CASE_FIXTURE(Writer, "what build, attest and rebuild write is valid by its schema") {
  terms("version: 7, channel: lab, replaces_from: 3");
  lock();
  keys("generate-wireguard --out fleet.identity --key-file fleet.seal");
  (void)built("--secrets fleet.identity --secrets-key-file fleet.seal");
  REQUIRE(builder("rebuild demo --store store --cache cache --key k.key > /dev/null").status == 0);
  judged("wireguard-identity", "fleet.identity");
  judged("image-manifest", "image.yaml", true);
  judged("lock", "image.lock.json");
  judged("release", "store/releases/demo/release.json");
  CHECK(release().at("scan").contains("own_keys"));
  judged("rebuild", found("statements -name '*.json'"));
  judged("dsse-envelope", found("attestations -name provenance.intoto.jsonl"));
  REQUIRE(builder("provenance demo --store store --key k.pub > statement").status == 0);
  judged("provenance", "statement");
}

TEST_CASE_FIXTURE(Writer, "what weir-keys trust and a verifier write is valid by its schema") {
  terms("version: 7");
  lock();
  (void)built();
  for (const char* who : {"root", "lab", "other"}) {
    run(std::string("minisign -G -W -p ") + who + ".pub -s " + who + ".key > /dev/null");
  }
  keys(
      "trust init --out t.json --expires 2099-01-01 --channel stable --channel lab --add "
      "root=root.pub --add release=k.pub --add release@lab=lab.pub --add boot-check=lab.pub --add "
      "rebuild=lab.pub --add audit-checkpoint=lab.pub --add evidence=lab.pub --add "
      "release=other.pub --sign root.key");
  keys("trust change t.json --revoke other.pub=lost --sign root.key");
  judged("trust-file", "t.json");
  const json file = json::parse(read("t.json"));
  REQUIRE(file.at("versions").size() == 2);
  write("version", file.at("versions")[1].at("document").get<std::string>());
  judged("trust", "version");
  const json version = json::parse(read("version"));
  CHECK(version.at("roles").size() == 6);
  CHECK(version.at("revoked").size() == 1);

  keys(
      "trust init --out plain.json --expires 2099-01-01 --add root=root.pub --add release=k.pub "
      "--sign root.key");
  REQUIRE(builder("verify demo --store store --trust plain.json --state s > /dev/null").status ==
          0);
  judged("trust-state", "s");
  CHECK(json::parse(read("s")).at("channels").size() == 1);
}

}  // namespace weir::builder
