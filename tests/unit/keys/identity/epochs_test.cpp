#include "keys/identity/epochs.h"

#include <doctest/doctest.h>
#include <sodium.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "keys/identity/wireguard_identity.h"
#include "tests/folders.h"
#include "tests/schemas/judge.h"
#include "tests/unit/keys/identity/sealed_by_hand.h"

namespace weir::keys {
namespace {

// RFC 7748, section 6.1.
const std::string kAlicePrivate =
                      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                  kAlicePublic = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                  kBobPrivate = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
                  kBobPublic = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
using test::kSealFile;
using test::kSealNonce;
using test::kSealSalt;
using test::sealed_by_hand;

std::string raw(const std::string& hex) {
  std::string out(hex.size() / 2, '\0');
  REQUIRE(sodium_hex2bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), hex.data(),
                         hex.size(), nullptr, nullptr, nullptr) == 0);
  return out;
}

std::string base64(const std::string& hex) {
  return base64_of(as_bytes(raw(hex)));
}

WireGuardKeyPair pair_of(const std::string& hex) {
  auto pair = WireGuardKeyPair::of(*Secret::copy_of(as_bytes(raw(hex))));
  REQUIRE(pair.has_value());
  return *std::move(pair);
}

Result<WireGuardIdentity> identity_of(const std::vector<std::string>& private_keys) {
  std::vector<WireGuardKeyPair> pairs;
  pairs.reserve(private_keys.size());
  for (const std::string& each : private_keys) pairs.push_back(pair_of(each));
  return WireGuardIdentity::of(std::move(pairs));
}

SealingKey seal_file() {
  return {SealingKey::Kind::key_file, *Secret::copy_of(as_bytes(kSealFile))};
}

/// What the Python of another library wrote by docs/keys.md: hashlib's BLAKE2b, and cryptography's
/// ChaCha20-Poly1305 under an HChaCha20 that has draft-irtf-cfrg-xchacha's vector.
std::string corpus(const std::string& name) {
  return test::bytes_of(test::source_folder() + "/tests/fuzz/corpus/identity/throw_away_" + name);
}

std::string two(const std::string& first, const std::string& second) {
  return R"("type":"weir.wireguard-identity/2","public_keys":[")" + first + "\",\"" + second +
         "\"]";
}

}  // namespace

TEST_CASE("a private key makes its pair, as RFC 7748 says") {
  CHECK(hex_of(pair_of(kAlicePrivate).public_key().raw()) == kAlicePublic);
  CHECK(hex_of(pair_of(kBobPrivate).public_key().raw()) == kBobPublic);
  CHECK(WireGuardKeyPair::of(*Secret::of_size(31)).error().code == Errc::invalid_input);
}

TEST_CASE("an identity has one epoch or two, of different keys, and knows which is which") {
  const auto one = identity_of({kAlicePrivate});
  REQUIRE(one.has_value());
  CHECK(hex_of(one->current().public_key().raw()) == kAlicePublic);
  CHECK(one->outgoing() == nullptr);
  const auto both = identity_of({kAlicePrivate, kBobPrivate});
  REQUIRE(both.has_value());
  CHECK(hex_of(both->current().public_key().raw()) == kBobPublic);
  REQUIRE(both->outgoing() != nullptr);
  CHECK(hex_of(both->outgoing()->public_key().raw()) == kAlicePublic);
  // What X25519 does not look at (RFC 7748, section 5) makes no other key.
  const std::string same_alice = "70" + kAlicePrivate.substr(2);
  for (const auto& bad :
       std::vector<std::vector<std::string>>{{},
                                             {kAlicePrivate, kAlicePrivate},
                                             {kAlicePrivate, same_alice},
                                             {kAlicePrivate, kBobPrivate, kAlicePrivate}}) {
    CAPTURE(bad.size());
    CHECK(identity_of(bad).error().code == Errc::invalid_input);
  }
}

TEST_CASE("sealed identities of one epoch and of two are the bytes that another library makes") {
  for (const auto& [name, keys] :
       {std::pair("one_epoch", std::vector{kAlicePrivate}),
        std::pair("two_epochs", std::vector{kAlicePrivate, kBobPrivate})}) {
    const std::string expected = corpus(name);
    const auto identity = identity_of(keys);
    const auto sealed =
        seal_identity(*identity, seal_file(), as_bytes(kSealSalt), as_bytes(kSealNonce));
    REQUIRE(sealed.has_value());
    CHECK(*sealed == expected);
    const auto opened = open_identity(expected, seal_file());
    REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
    CHECK(keys_of(*opened) == keys_of(*identity));
    CHECK(sealed_public_keys(expected).value() == keys_of(*identity));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      CHECK(hex_of(opened->oldest_first()[i].private_key().bytes()) == keys[i]);
    }
  }
}

TEST_CASE("two epochs that are equal, swapped, too few, too many or of a wrong size are refused") {
  const std::string alice = base64(kAlicePublic), bob = base64(kBobPublic);
  const std::string privates = raw(kAlicePrivate) + raw(kBobPrivate);
  REQUIRE(open_identity(sealed_by_hand(two(alice, bob), privates), seal_file()).has_value());
  struct Case {
    std::string document;
    Errc code;
    const char* says;
  };
  const std::string one = R"("type":"weir.wireguard-identity/1","public_key":")" + alice + "\"";
  std::string swapped = corpus("two_epochs");
  const auto alice_at = swapped.find(alice), bob_at = swapped.find(bob);
  swapped.replace(alice_at, alice.size(), bob);
  swapped.replace(bob_at, bob.size(), alice);
  const std::vector<Case> cases = {
      {swapped, Errc::unauthorized, "was changed"},
      {sealed_by_hand(two(bob, alice), privates), Errc::integrity,
       "was opened, and contradicts itself"},
      {sealed_by_hand(two(alice, bob), raw(kAlicePrivate) + raw(kAlicePrivate)), Errc::integrity,
       "is not the one of 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="},
      {sealed_by_hand(two(alice, alice), raw(kAlicePrivate) + raw(kAlicePrivate)),
       Errc::invalid_input, "public_keys: an identity's two epochs must have different keys"},
      {sealed_by_hand(two(alice, bob), raw(kAlicePrivate)), Errc::invalid_input, "ciphertext: "},
      {sealed_by_hand(two(alice, bob), privates + raw(kBobPrivate)), Errc::invalid_input,
       "ciphertext: "},
      {sealed_by_hand(two(alice, bob + "\",\"" + alice), privates + raw(kAlicePrivate)),
       Errc::invalid_input, "public_keys: must be two"},
      {sealed_by_hand(R"("type":"weir.wireguard-identity/2","public_keys":[")" + alice + "\"]",
                      raw(kAlicePrivate)),
       Errc::invalid_input, "public_keys: must be two"},
      {sealed_by_hand(R"("type":"weir.wireguard-identity/2","public_keys":["x",5])", privates),
       Errc::invalid_input, "public_keys[0]: "},
      {sealed_by_hand(R"("type":"weir.wireguard-identity/2","public_keys":[")" + alice + "\",5]",
                      privates),
       Errc::invalid_input, "public_keys[1]: "},
      {sealed_by_hand(one, privates), Errc::invalid_input, "ciphertext: "},
      {sealed_by_hand(one + R"(,"public_keys":[")" + alice + "\",\"" + bob + "\"]",
                      raw(kAlicePrivate)),
       Errc::invalid_input, "public_keys: "},
      {sealed_by_hand(two(alice, bob) + R"(,"public_key":")" + bob + "\"", privates),
       Errc::invalid_input, "public_key: "},
  };
  // What only who opens it can know, a schema does not.
  std::vector<test::SchemaCase> judged;
  for (const Case& each : cases) {
    CAPTURE(each.document);
    const auto opened = open_identity(each.document, seal_file());
    REQUIRE_FALSE(opened.has_value());
    CAPTURE(opened.error().message);
    CHECK(opened.error().code == each.code);
    CHECK(opened.error().message.find(each.says) != std::string::npos);
    judged.push_back({"wireguard-identity", each.document});
  }
  const auto answers = test::judged_by_schema(judged);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].document);
    CHECK(answers[i].empty() == (cases[i].code != Errc::invalid_input));
  }
}

TEST_CASE("every changed byte of a sealed identity of two epochs is noticed") {
  const std::string good = corpus("two_epochs");
  for (std::size_t at = 0; at < good.size(); ++at) {
    if (good[at] == ' ' || good[at] == '\n') continue;  // layout is not content
    std::string bad = good;
    bad[at] = bad[at] == 'A' ? 'B' : 'A';
    CAPTURE(at);
    CHECK_FALSE(open_identity(bad, seal_file()).has_value());
  }
}

}  // namespace weir::keys
