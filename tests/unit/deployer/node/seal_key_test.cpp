#include "deployer/node/seal_key.h"

#include <doctest/doctest.h>
#include <sodium.h>

namespace weir::node {
namespace {

using wireguard::SecretKey;

std::array<std::uint8_t, 32> from_hex(std::string_view hex) {
  const std::string raw = parse_hex(hex).value();
  std::array<std::uint8_t, 32> out{};
  std::copy(raw.begin(), raw.end(), out.begin());
  return out;
}

// Bob of RFC 7748, section 6.1.
const auto kSecret = from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
const auto kPublic = from_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");

std::string seal(const std::string& message, const PublicKey& to) {
  REQUIRE(sodium_init() >= 0);
  std::string out(message.size() + crypto_box_SEALBYTES, '\0');
  crypto_box_seal(reinterpret_cast<unsigned char*>(out.data()), as_bytes(message).data(),
                  message.size(), to.raw().data());
  return base64_of(as_bytes(out));
}

}  // namespace

TEST_CASE("the public key is RFC 7748's") {
  CHECK(public_key_of(SecretKey(kSecret))->raw() == kPublic);
  CHECK(SealKey::from_secret(SecretKey(kSecret))->public_key().raw() == kPublic);
  CHECK_FALSE(public_key_of(SecretKey({})).has_value());
}

TEST_CASE("what libsodium sealed to the key opens, and only that") {
  const auto key = SealKey::from_secret(SecretKey(kSecret));
  REQUIRE(key.has_value());
  const std::string message(32, 'k');
  const auto opened = key->open(seal(message, key->public_key()));
  REQUIRE(opened.has_value());
  CHECK(opened->raw()[0] == 'k');
  CHECK(opened->raw()[31] == 'k');

  const auto other = SealKey::from_secret(SecretKey(kPublic));
  CHECK(key->open(seal(message, other->public_key())).error().code == Errc::unauthorized);
  std::string changed = seal(message, key->public_key());
  changed[60] = changed[60] == 'A' ? 'B' : 'A';
  CHECK(key->open(changed).error().code == Errc::unauthorized);
  CHECK(key->open(seal(std::string(31, 'k'), key->public_key())).error().code ==
        Errc::invalid_input);
  CHECK(key->open("?").error().code == Errc::invalid_input);
}

}  // namespace weir::node
