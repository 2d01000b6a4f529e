// Statements and provenance signed by a key in a token (SoftHSM), checked by minisign and openssl.
#include <doctest/doctest.h>

#include "build_fixture.h"
#include "tests/folders.h"
#include "tests/unit/keys/signing/soft_token.h"

namespace weir::builder {
namespace {

struct Secured : Fixture {
  testing::Token token;
  std::string key;

  Secured() {
    token.make("signing", "0102030405060708");
    key = "--pkcs11 '" + token.uri("signing") + "' ";
    REQUIRE(token.weir_keys("pkcs11 --out " + path() + "/t.pub " + key).status == 0);
  }
  [[nodiscard]] Outcome with_token(const std::string& arguments) const {
    return builder(arguments + " 2>&1", "SOFTHSM2_CONF=" + token.folder / "conf");
  }
  void must_say(const std::string& arguments, const std::string& expected) const {
    const Outcome out = with_token(arguments);
    CHECK_MESSAGE(out.status == 0, out.out);
    CHECK_MESSAGE(out.out.find(expected) != std::string::npos, out.out);
    CHECK(out.out.find("pin-value") == std::string::npos);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Secured, "build, attest and rebuild sign with a key in a token") {
  must_say("build image.yaml --store store --cache cache " + key, "built release demo");
  run("minisign -V -p t.pub -m store/releases/demo/release.json > /dev/null");
  const std::string envelope = "store/attestations/" +
                               run("sha256sum < store/releases/demo/release.json").substr(0, 64) +
                               "/provenance.intoto.jsonl";
  const std::string by_openssl =
      "/usr/bin/python3 " + test::source_folder() + "/tests/schemas/dsse.py " + envelope + " t.pub";
  run(by_openssl);

  run("rm " + envelope);
  must_say("attest demo --store store " + key, "got a provenance signed by 0807060504030201");
  run(by_openssl);
  must_say("verify demo --store store --provenance --key t.pub",
           "provenance and SBOMs signed by 0807060504030201");

  must_say("rebuild demo --store store --cache cache " + key, "key 0807060504030201 says so");
  run("minisign -V -q -p t.pub -m store/statements/*/rebuilt-*.json");
  must_say("verify demo --store store --key t.pub --rebuilt-by 1 --rebuilder t.pub",
           "bit by bit the same, by 0807060504030201");
  // A wrong PIN is found out before the work.
  const Outcome wrong = with_token("rebuild demo --store store --cache cache --pkcs11 '" +
                                   token.uri("signing", "9999") + "'");
  CHECK(wrong.status != 0);
  CHECK(wrong.out.find("log in to token release") != std::string::npos);
}

}  // namespace weir::builder
