// Keys in a token: SoftHSM, its keys made by pkcs11-tool and openssl, what they sign checked by the
// stock minisign.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/pkcs11_key.h"
#include "manifests/base/edge/file.h"
#include "soft_token.h"

namespace weir::keys {
namespace {

using testing::Finished;
using testing::kModule;
using testing::run;
using testing::Token;

bool has(const Finished& finished, const std::string& text) {
  return finished.output.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a key in a token signs, and minisign accepts it") {
  const Token token;
  token.make("signing", "0102030405060708");
  REQUIRE(write_file(token.folder / "doc", "text").has_value());
  const std::string uri = "--pkcs11 '" + token.uri("signing") + "'";
  const auto shown = token.weir_keys("pkcs11 --out k.pub " + uri);
  REQUIRE_MESSAGE(shown.status == 0, shown.output);
  CHECK(read_public_key(token.folder / "k.pub").has_value());
  const auto made = token.weir_keys("sign doc " + uri);
  REQUIRE_MESSAGE(made.status == 0, made.output);
  CHECK(has(made, "0807060504030201"));
  const std::string check = "cd " + token.folder.path() + " && minisign -V -p k.pub -m doc 2>&1";
  const auto checked = run(check);
  CHECK_MESSAGE(checked.status == 0, checked.output);
  REQUIRE(write_file(token.folder / "doc", "texT").has_value());
  CHECK(run(check).status != 0);

  // The PIN from the environment, and from a file.
  CHECK(token
            .weir_keys("sign doc --pkcs11 '" + token.uri("signing", "") + "'",
                       "env WEIR_PASSPHRASE=1234")
            .status == 0);
  REQUIRE(write_file(token.folder / "pin", "1234\n", 0600).has_value());
  const auto by_file = token.weir_keys("sign doc --pkcs11 '" + token.uri("signing", "") +
                                       "&pin-source=file:" + token.folder / "pin" + "'");
  CHECK_MESSAGE(by_file.status == 0, by_file.output);
  CHECK(run(check).status == 0);
}

TEST_CASE("a key that openssl made and the token took in has openssl's public key") {
  const Token token;
  token.must("cd " + token.folder.path() +
             " && openssl genpkey -algorithm ed25519 -out o.pem && softhsm2-util --import o.pem "
             "--token release --pin 1234 --label imported --id AA");
  const auto shown = token.weir_keys("pkcs11 --out o.pub --pkcs11 '" + token.uri("imported") + "'");
  REQUIRE_MESSAGE(shown.status == 0, shown.output);
  const auto raw =
      run("openssl pkey -in " + token.folder / "o.pem" + " -pubout -outform DER | tail -c 32")
          .output;
  const auto key = read_public_key(token.folder / "o.pub");
  REQUIRE(key.has_value());
  CHECK(std::string(key->key.begin(), key->key.end()) == raw);
  // A one-byte id cannot be minisign's: the key id is of the public key's hash.
  const auto hash = run("openssl pkey -in " + token.folder / "o.pem" +
                        " -pubout -outform DER | tail -c 32 | sha256sum | head -c 16")
                        .output;
  CHECK(hex_of(key->id) == hash);
}

TEST_CASE("root keys in tokens make, change and sign a trust, and minisign accepts it") {
  const Token token;
  token.make("alice", "0102030405060708");
  token.make("bob", "1112131415161718");
  const std::string alice = " --pkcs11 '" + token.uri("alice") + "'",
                    bob = " --pkcs11 '" + token.uri("bob") + "'";
  REQUIRE(token.weir_keys("pkcs11 --out alice.pub" + alice).status == 0);
  REQUIRE(token.weir_keys("pkcs11 --out bob.pub" + bob).status == 0);
  const auto made = token.weir_keys(
      "trust init --out t.json --add root=alice.pub --add root=bob.pub --threshold root=2" + alice +
      bob);
  CHECK_MESSAGE(made.status == 0, made.output);
  const auto changed = token.weir_keys("trust change t.json --expires 2098-01-01" + alice);
  CHECK_MESSAGE(changed.status == 4, changed.output);
  CHECK_FALSE(has(changed, "1234"));
  const auto done = token.weir_keys("trust sign t.json.pending" + bob);
  CHECK_MESSAGE(done.status == 0, done.output);
  REQUIRE(token.weir_keys("trust show t.json --extract v2").status == 0);
  for (const char* name : {"alice", "bob"}) {
    const auto checked =
        run("cd " + token.folder.path() + " && for s in v2.json.*.minisig; do minisign -V -p " +
            name + ".pub -m v2.json -x $s 2>/dev/null && exit; done; exit 1");
    CHECK_MESSAGE(checked.status == 0, checked.output);
  }
}

TEST_CASE("what a token cannot do is said, and the PIN never is") {
  const Token token;
  token.make("signing", "01");
  token.make("other", "02");
  token.make("ecdsa", "03", "EC:prime256v1");
  REQUIRE(write_file(token.folder / "doc", "text").has_value());
  REQUIRE(::mkfifo((token.folder / "pipe").c_str(), 0600) == 0);
  const struct {
    std::string uri, says;
  } cases[] = {
      {token.uri("signing", "9999"), "log in to token release"},
      {token.uri("signing", "1234", "relase"), "no token fits the URI (there are: release)"},
      {token.uri("nothing"), "has no private Ed25519 key"},
      {token.uri("ecdsa"), "has no private Ed25519 key"},
      {"pkcs11:token=release?pin-value=1234&module-path=" + kModule, "several keys fit the URI"},
      {"pkcs11:token=release?pin-value=1234&module-path=/no/such.so", "/no/such.so"},
      {"pkcs11:token=release?pin-value=1234&module-path=" + (token.folder / "pipe"),
       "pipe: is a pipe"},
      {"pkcs12:token=release?pin-value=1234", "not a PKCS#11 URI"},
      {token.uri("signing", ""), "set WEIR_PASSPHRASE"},
  };
  for (const auto& [uri, says] : cases) {
    const auto& shown = uri;  // clang 14 captures no structured binding
    CAPTURE(shown);
    const auto refused = token.weir_keys("sign doc --pkcs11 '" + uri + "'");
    CHECK(refused.status == 1);
    CHECK_MESSAGE(has(refused, says), refused.output);
    CHECK_FALSE(has(refused, "1234"));
    CHECK_FALSE(has(refused, "9999"));
  }
  CHECK_FALSE(std::filesystem::exists(token.folder / "doc.minisig"));
  CHECK(token.weir_keys("sign doc").status == 2);
  CHECK(has(token.weir_keys("sign doc --key k --pkcs11 pkcs11:"), "--key FILE or --pkcs11 URI"));
}

}  // namespace weir::keys
