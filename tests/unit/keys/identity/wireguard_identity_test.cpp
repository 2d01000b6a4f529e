#include "keys/identity/wireguard_identity.h"

#include <doctest/doctest.h>
#include <sodium.h>

#include <algorithm>

#include "keys/identity/edge/identity_files.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "tests/schemas/judge.h"
#include "tests/unit/keys/scratch.h"

namespace weir::keys {
namespace {

using testing::run;
using testing::Scratch;

const std::string kSalt(16, 's'), kNonce(24, 'n');

Secret secret(std::string_view text) {
  return *Secret::copy_of(as_bytes(text));
}

SealingKey key_file(char c) {
  return {SealingKey::Kind::key_file, secret(std::string(32, c))};
}

std::string sealed(const WireGuardIdentity& identity, const SealingKey& key) {
  const auto text = seal_identity(identity, key, as_bytes(kSalt), as_bytes(kNonce));
  REQUIRE(text.has_value());
  return *text;
}

}  // namespace

TEST_CASE("public keys agree with wg") {
  const Scratch folder;
  for (int i = 0; i < 8; ++i) {
    REQUIRE(run("umask 077; wg genkey > " + folder / "key").status == 0);
    const std::string expected = run("wg pubkey < " + folder / "key").output;
    const auto key = read_wireguard_key(folder / "key");
    REQUIRE(key.has_value());
    CHECK(public_key_of(*key)->string() + "\n" == expected);
  }
  const auto identity = make_wireguard_identity();
  REQUIRE(identity.has_value());
  REQUIRE(
      write_new_file(folder / "ours", base64_of(identity->current().private_key().bytes()), 0600));
  CHECK(run("wg pubkey < " + folder / "ours").output ==
        identity->current().public_key().string() + "\n");
}

TEST_CASE("an identity opens with what sealed it, and with nothing else") {
  const auto identity = make_wireguard_identity();
  const std::string text = sealed(*identity, key_file('k'));
  CHECK(sealed_with(text).value() == SealingKey::Kind::key_file);
  CHECK(sealed_public_keys(text).value() == keys_of(*identity));
  const auto opened = open_identity(text, key_file('k'));
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  CHECK(opened->oldest_first().size() == 1);
  CHECK(opened->outgoing() == nullptr);
  CHECK(opened->current().public_key() == identity->current().public_key());
  CHECK(opened->current().private_key().equals(identity->current().private_key()));
  CHECK(open_identity(text, key_file('l')).error().code == Errc::unauthorized);
  CHECK(open_identity(text, {SealingKey::Kind::passphrase, secret("k")}).error().message ==
        "sealed with a key file, not with a passphrase");

  const SealingKey words{SealingKey::Kind::passphrase, secret("correct horse")};
  const std::string by_words = sealed(*identity, words);
  CHECK(sealed_with(by_words).value() == SealingKey::Kind::passphrase);
  CHECK(open_identity(by_words, words)
            ->current()
            .private_key()
            .equals(identity->current().private_key()));
  CHECK(open_identity(by_words, {SealingKey::Kind::passphrase, secret("correct h0rse")})
            .error()
            .code == Errc::unauthorized);
}

TEST_CASE("the private key stands nowhere in the sealed file") {
  const auto identity = make_wireguard_identity();
  const std::string text = sealed(*identity, key_file('k'));
  CHECK(text.find(base64_of(identity->current().private_key().bytes())) == std::string::npos);
  CHECK(text.find(hex_of(identity->current().private_key().bytes())) == std::string::npos);
  const auto at = text.find("\"ciphertext\": \"") + 15;
  const std::string raw = *parse_base64(text.substr(at, text.find('"', at) - at));
  CHECK(raw.size() == 48);
  CHECK(raw.find(std::string(identity->current().private_key().text())) == std::string::npos);
}

TEST_CASE("sealing is deterministic, and its cryptography is the one that is documented") {
  const auto identity = make_wireguard_identity();
  const std::string text = sealed(*identity, key_file('k'));
  CHECK(text == sealed(*identity, key_file('k')));
  // docs/keys.md, written out a second time with libsodium's calls.
  const std::string covered =
      R"({"type":"weir.wireguard-identity/1","public_key":")" +
      identity->current().public_key().string() +
      R"(","key_derivation":{"algorithm":"blake2b-key-file","salt":"c3Nzc3Nzc3Nzc3Nzc3Nzcw=="},)"
      R"("cipher":"xchacha20-poly1305-ietf","nonce":"bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5u"})";
  std::array<std::uint8_t, 32> key{};
  const std::string file(32, 'k');
  crypto_generichash(key.data(), 32, as_bytes(kSalt).data(), 16, as_bytes(file).data(), 32);
  std::array<std::uint8_t, 48> expected{};
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      expected.data(), nullptr, identity->current().private_key().bytes().data(), 32,
      as_bytes(covered).data(), covered.size(), nullptr, as_bytes(kNonce).data(), key.data());
  CHECK(text.find(base64_of(expected)) != std::string::npos);
}

TEST_CASE("every changed or missing byte of a sealed identity is noticed") {
  const auto identity = make_wireguard_identity();
  const std::string good = sealed(*identity, key_file('k'));
  for (std::size_t at = 0; at < good.size(); ++at) {
    if (good[at] == ' ' || good[at] == '\n') continue;  // layout is not content
    std::string bad = good;
    bad[at] = bad[at] == 'A' ? 'B' : 'A';
    CAPTURE(at);
    const auto opened = open_identity(bad, key_file('k'));
    REQUIRE_FALSE(opened.has_value());
    CHECK_FALSE(opened.error().message.empty());
  }
  for (std::size_t size = 0; size + 2 < good.size(); ++size) {
    CAPTURE(size);
    CHECK(open_identity(good.substr(0, size), key_file('k')).error().code == Errc::invalid_input);
  }
}

TEST_CASE("a sealed file with unknown fields, versions or unbounded parameters is refused") {
  const auto identity = make_wireguard_identity();
  const SealingKey words{SealingKey::Kind::passphrase, secret("x")};
  const std::string good = sealed(*identity, words);
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"\"cipher\"", "\"more\": 1, \"cipher\"", "more: "},
      {"\"memory\": 268435456", "\"memory\": 1099511627776", "key_derivation.memory: "},
      {"\"operations\": 3", "\"operations\": 1000000", "key_derivation.operations: "},
      {"argon2id13", "md5", "key_derivation.algorithm: "},
      {"weir.wireguard-identity/1", "weir.wireguard-identity/3", "type: "},
      {"weir.wireguard-identity/1", "weir.wireguard-identity/2", "public_keys: "},
  };
  for (const auto& [from, to, says] : cases) {
    std::string bad = good;
    const auto at = bad.find(from);
    REQUIRE(at != std::string::npos);
    bad.replace(at, std::string_view(from).size(), to);
    const auto opened = open_identity(bad, words);
    REQUIRE_FALSE(opened.has_value());
    CAPTURE(opened.error().message);
    CHECK(opened.error().code == Errc::invalid_input);
    CHECK(opened.error().message.find(says) != std::string::npos);
  }
}

TEST_CASE("the schema and the reader agree on sealed identities, whole and broken") {
  const auto identity = make_wireguard_identity();
  const SealingKey words{SealingKey::Kind::passphrase, secret("x")};
  const std::string by_words = sealed(*identity, words), by_file = sealed(*identity, key_file('k'));
  std::vector<test::SchemaCase> cases = {{"wireguard-identity", by_words},
                                         {"wireguard-identity", by_file}};
  for (const auto& [from, to] : std::initializer_list<std::pair<const char*, const char*>>{
           {"identity/1", "identity/2"},
           {"\"cipher\"", "\"more\": 1, \"cipher\""},
           {"xchacha20-", "chacha20-"},
           {"\"public_key\": \"", "\"public_key\": \"A"},
           {"\"algorithm\": \"argon2id13\"", "\"algorithm\": \"blake2b-key-file\""},
           {"\"operations\": 3", "\"operations\": 17"},
           {"\"operations\": 3,", ""},
           {"\"memory\": 268435456", "\"memory\": 1073741825"},
           {"\"memory\": 268435456", "\"memory\": 8191"},
           {"\"salt\": \"", "\"salt\": \"AAAA"},
           {"\"nonce\": \"", "\"nonce\": \"*"},
           {"\"ciphertext\": \"", "\"ciphertext\": \"AAAA"},
           {"\"ciphertext\"", "\"text\""}}) {
    std::string bad = by_words;
    const auto at = bad.find(from);
    const auto& shown_from = from;
    REQUIRE_MESSAGE(at != std::string::npos, shown_from);
    cases.push_back({"wireguard-identity", bad.replace(at, std::string_view(from).size(), to)});
  }
  const auto answers = test::judged_by_schema(cases);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].text);
    CAPTURE(answers[i]);
    CHECK(answers[i].empty() == (i < 2));
    const bool opens =
        (i == 1 ? open_identity(cases[i].text, key_file('k')) : open_identity(cases[i].text, words))
            .has_value();
    CHECK(opens == (i < 2));
  }
}

TEST_CASE("what is sealed to a node opens at that node alone") {
  const auto node = make_wireguard_key_pair();
  const auto other = make_wireguard_key_pair();
  const Secret message = secret(std::string(32, 'm'));
  const auto sealed_text = seal_to_node(message, node->public_key());
  REQUIRE(sealed_text.has_value());
  const auto box = parse_base64(*sealed_text);
  REQUIRE(box->size() == 80);
  const auto opened_by = [&](const WireGuardKeyPair& pair) {
    std::string out(32, '\0');
    const int result = crypto_box_seal_open(
        reinterpret_cast<std::uint8_t*>(out.data()), as_bytes(*box).data(), box->size(),
        pair.public_key().raw().data(), pair.private_key().bytes().data());
    return result == 0 ? out : std::string();
  };
  CHECK(opened_by(*node) == std::string(32, 'm'));
  CHECK(opened_by(*other).empty());
  CHECK_FALSE(seal_to_node(message, PublicKey::from_raw({})).has_value());
}

TEST_CASE("a WireGuard key is one line of 44 characters") {
  const std::string good = base64_of(as_bytes(std::string(32, 'x')));
  CHECK(parse_wireguard_key(good)->size() == 32);
  CHECK(parse_wireguard_key(good + "\n").has_value());
  std::string twice = good + "\n";
  twice += good;
  for (const std::string& bad : {std::string(), good.substr(1), good + "A", twice,
                                 "=" + good.substr(1), std::string(44, 'A')}) {
    CAPTURE(bad);
    const auto key = parse_wireguard_key(bad);
    REQUIRE_FALSE(key.has_value());
    CHECK((bad.empty() || key.error().message.find(bad) == std::string::npos));
  }
}

TEST_CASE("secrets shrink by wiping and compare whole") {
  Secret one = secret("abcdef");
  one.shrink(3);
  CHECK(one.equals(secret("abc")));
  CHECK_FALSE(one.equals(secret("abd")));
  CHECK_FALSE(one.equals(secret("abcd")));
  one.shrink(9);
  CHECK(one.size() == 3);
  CHECK(secret("").equals(secret("")));
}

}  // namespace weir::keys
