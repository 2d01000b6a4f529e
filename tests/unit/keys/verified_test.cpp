#include "keys/verified.h"

#include <doctest/doctest.h>

#include "keys/edge/key_files.h"
#include "trust_fixture.h"

namespace weir::keys {
namespace {

std::string release_text() {
  return print(testing::release_named("gateway-1"));
}

}  // namespace

TEST_CASE("a release is verified only with a trusted key over exactly these bytes") {
  const auto own = make_signing_key();
  const auto other = make_signing_key();
  const std::string text = release_text();
  const std::string signature = *sign(own->secret_key, as_bytes(text), "release");

  const auto good = verify_release(text, signature, {other->public_key, own->public_key});
  REQUIRE_MESSAGE(good.has_value(), good.error().message);
  CHECK((*good)->name.string() == "gateway-1");
  CHECK(good->signer() == print(own->public_key.id));
  CHECK(good->digest() == Digest::of(as_bytes(text)));

  const auto untrusted = verify_release(text, signature, {other->public_key});
  CHECK(untrusted.error().code == Errc::unauthorized);
  CHECK(untrusted.error().message ==
        "release signature: made by key " + print(own->public_key.id) +
            ", which is not trusted here (trusted: " + print(other->public_key.id) + ")");
  CHECK(verify_release(text, signature, {}).error().code == Errc::unauthorized);

  for (std::size_t at = 0; at < text.size(); at += 7) {
    std::string flipped = text;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    CAPTURE(at);
    CHECK(verify_release(flipped, signature, {own->public_key}).error().code == Errc::unauthorized);
  }
}

TEST_CASE("a signature does not make a document a release") {
  const auto own = make_signing_key();
  const std::string text = "{}";
  const std::string signature = *sign(own->secret_key, as_bytes(text), "");
  const auto refused = verify_release(text, signature, {own->public_key});
  CHECK(refused.error().code == Errc::invalid_input);
  CHECK(refused.error().message.starts_with("release: "));
}

}  // namespace weir::keys
