#include "keys/trust/verified.h"

#include <doctest/doctest.h>

#include "keys/signing/edge/key_files.h"
#include "trust_fixture.h"

namespace weir::keys {
namespace {

using testing::kNow;

std::string release_text() {
  return print(testing::release_named("gateway-1"));
}

}  // namespace

TEST_CASE("a release is verified only with a trusted key over exactly these bytes") {
  const auto own = make_signing_key();
  const auto other = make_signing_key();
  const std::string text = release_text();
  const std::string signature = *sign(own->secret_key, as_bytes(text), "release");

  const auto good = verify_release(text, signature, {other->public_key, own->public_key}, kNow);
  REQUIRE_MESSAGE(good.has_value(), good.error().message);
  CHECK((*good)->name.string() == "gateway-1");
  CHECK(good->signer() == print(own->public_key.id));
  CHECK(good->digest() == Digest::of(as_bytes(text)));

  const auto untrusted = verify_release(text, signature, {other->public_key}, kNow);
  CHECK(untrusted.error().code == Errc::unauthorized);
  CHECK(untrusted.error().message ==
        "release signature: made by key " + print(own->public_key.id) +
            ", which is not trusted here (trusted: " + print(other->public_key.id) + ")");
  CHECK(verify_release(text, signature, {}, kNow).error().code == Errc::unauthorized);

  for (std::size_t at = 0; at < text.size(); at += 7) {
    std::string flipped = text;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    CAPTURE(at);
    CHECK(verify_release(flipped, signature, {own->public_key}, kNow).error().code ==
          Errc::unauthorized);
  }
}

TEST_CASE("a signature does not make a document a release") {
  const auto own = make_signing_key();
  const std::string text = "{}";
  const std::string signature = *sign(own->secret_key, as_bytes(text), "");
  const auto refused = verify_release(text, signature, {own->public_key}, kNow);
  CHECK(refused.error().code == Errc::invalid_input);
  CHECK(refused.error().message.starts_with("release: "));
}

TEST_CASE("keys that are named accept no other documents than a trust does") {
  const auto own = make_signing_key();
  const auto refusal = [&](const std::string& text) {
    const auto release =
        verify_release(text, *sign(own->secret_key, as_bytes(text), ""), {own->public_key}, kNow);
    return release ? "accepted" : release.error().message;
  };
  const std::string text = release_text();
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string out = text;
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
  };
  CHECK(refusal(text) == "accepted");
  // The type, moved behind the name.
  const std::string type = "\"type\": \"weir.release/1\",";
  std::string moved = replaced(type, "");
  moved.insert(moved.find("\"architecture\""), type);
  REQUIRE(manifests::parse_release(moved).has_value());
  CHECK(refusal(moved).starts_with("release: type: the document must begin with \"type\""));
  CHECK(refusal(replaced("\"size\": 8", "\"size\": 2147483648")).find("2 GiB") !=
        std::string::npos);
  CHECK(refusal(replaced("\"size\": 8", "\"size\": 2147483647")) == "accepted");
  CHECK(refusal(replaced("\"size\": 400", "\"size\": 2147483648")).find("2 GiB") !=
        std::string::npos);
  CHECK(refusal(text + std::string((16 << 20) - text.size(), ' ')) == "accepted");
  CHECK(refusal(text + std::string((16 << 20) - text.size() + 1, ' ')).find("16 MiB") !=
        std::string::npos);
}

TEST_CASE("by named keys too, what expired is good only where it runs already") {
  const auto own = make_signing_key();
  const std::string text = testing::release_text("gateway-1", 1, "stable", 0, kNow);
  const auto ask = [&](UtcTime now, const std::set<Digest>& running = {}) {
    return verify_release(text, *sign(own->secret_key, as_bytes(text), ""), {own->public_key}, now,
                          running);
  };
  CHECK(ask(UtcTime{kNow.seconds - 1}).has_value());
  const auto expired = ask(kNow);
  CHECK(expired.error().code == Errc::unauthorized);
  CHECK(expired.error().message.starts_with("expired at 2027-01-15T08:00:00Z: "));
  CHECK(ask(kNow, {Digest::of(as_bytes(text))}).has_value());
  CHECK_FALSE(ask(kNow, {Digest::of(as_bytes("another"))}).has_value());
}

}  // namespace weir::keys
