// Keys in a token: SoftHSM, its keys made by pkcs11-tool and openssl, what they sign checked by the
// stock minisign.
#include <doctest/doctest.h>

#include <string>

#include "keys/edge/key_files.h"
#include "keys/edge/pkcs11_key.h"
#include "manifests/edge/file.h"
#include "scratch.h"

namespace weir::keys {
namespace {

using testing::Finished;
using testing::run;
using testing::Scratch;

const std::string kModule = "/usr/lib/softhsm/libsofthsm2.so";

/// A SoftHSM of a test's own with the token "release" (PIN 1234).
struct Token {
  Scratch folder;

  Token() {
    REQUIRE(write_file(folder / "conf", "directories.tokendir = " + folder / "tokens" +
                                            "\nobjectstore.backend = file\nlog.level = ERROR\n")
                .has_value());
    must("mkdir " + folder / "tokens" +
         " && softhsm2-util --init-token --free --label release --pin 1234 --so-pin 5678");
  }
  void must(const std::string& command) const {
    const auto done = run("export SOFTHSM2_CONF=" + folder / "conf" + "; " + command + " 2>&1");
    REQUIRE_MESSAGE(done.status == 0, done.output);
  }
  void make(const std::string& label, const std::string& id,
            const std::string& type = "EC:edwards25519") const {
    must("pkcs11-tool --module " + kModule +
         " --login --pin 1234 --token-label release --keypairgen --key-type " + type + " --label " +
         label + " --id " + id);
  }
  [[nodiscard]] std::string uri(const std::string& object, const std::string& pin = "1234",
                                const std::string& token = "release") const {
    return "pkcs11:token=" + token + ";object=" + object + "?module-path=" + kModule +
           (pin.empty() ? "" : "&pin-value=" + pin);
  }
  [[nodiscard]] Finished weir_keys(const std::string& arguments,
                                   const std::string& before = "env -u WEIR_PASSPHRASE") const {
    return run("cd " + folder.path() + " && SOFTHSM2_CONF=" + folder / "conf" + " " + before +
               " setsid " WEIR_BINARY_DIR "/bin/weir-keys " + arguments + " </dev/null 2>&1");
  }
};

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

TEST_CASE("what a token cannot do is said, and the PIN never is") {
  const Token token;
  token.make("signing", "01");
  token.make("other", "02");
  token.make("ecdsa", "03", "EC:prime256v1");
  REQUIRE(write_file(token.folder / "doc", "text").has_value());
  const struct {
    std::string uri, says;
  } cases[] = {
      {token.uri("signing", "9999"), "log in to token release"},
      {token.uri("signing", "1234", "relase"), "no token fits the URI (there are: release)"},
      {token.uri("nothing"), "has no private Ed25519 key"},
      {token.uri("ecdsa"), "has no private Ed25519 key"},
      {"pkcs11:token=release?pin-value=1234&module-path=" + kModule, "several keys fit the URI"},
      {"pkcs11:token=release?pin-value=1234&module-path=/no/such.so", "/no/such.so"},
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
  CHECK(token.weir_keys("sign doc").status == 1);
  CHECK(has(token.weir_keys("sign doc --key k --pkcs11 pkcs11:"), "--key FILE or --pkcs11 URI"));
}

}  // namespace weir::keys
