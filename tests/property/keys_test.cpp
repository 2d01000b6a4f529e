#include <doctest/doctest.h>

#include <string>

#include "keys/identity/edge/identity_files.h"
#include "keys/identity/wireguard_identity.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/minisign.h"
#include "tests/property/seed.h"

namespace weir::keys {
namespace {

using testing::below;
using testing::seeded;

std::string random_text(std::mt19937_64& random, std::size_t longest) {
  std::string out(below(random, longest + 1), '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

}  // namespace

TEST_CASE("a signature fits its message and no other") {
  auto random = seeded("signatures");
  const auto pair = make_signing_key();
  REQUIRE(pair.has_value());
  for (int round = 0; round < 300; ++round) {
    std::string message = random_text(random, 300);
    const std::string comment(below(random, 100), 'c');
    const auto signature = sign(pair->secret_key, as_bytes(message), comment);
    REQUIRE(signature.has_value());
    CHECK(verify(pair->public_key, as_bytes(message), *signature).has_value());
    CHECK(trusted_comment_of(*signature).value() == comment);
    if (message.empty() || below(random, 3) == 0) {
      message += static_cast<char>(random());
    } else {
      message[below(random, message.size())] ^= static_cast<char>(1 << below(random, 8));
    }
    CHECK(verify(pair->public_key, as_bytes(message), *signature).error().code ==
          Errc::unauthorized);
  }
}

TEST_CASE("what is sealed opens again as it was, and with no other key") {
  auto random = seeded("identities");
  const auto key = [](const Secret& bytes) {
    return SealingKey{SealingKey::Kind::key_file, *Secret::copy_of(bytes.bytes())};
  };
  for (int round = 0; round < 200; ++round) {
    const auto identity = make_wireguard_identity();
    const auto secret = random_secret(32), salt = random_secret(16), nonce = random_secret(24);
    const auto sealed = seal_identity(*identity, key(*secret), salt->bytes(), nonce->bytes());
    REQUIRE(sealed.has_value());
    CHECK(open_identity(*sealed, key(*secret))
              ->current()
              .private_key()
              .equals(identity->current().private_key()));
    Secret other = *Secret::copy_of(secret->bytes());
    other.writable()[below(random, 32)] ^= static_cast<std::uint8_t>(1 << below(random, 8));
    CHECK(open_identity(*sealed, key(other)).error().code == Errc::unauthorized);
  }
}

}  // namespace weir::keys
