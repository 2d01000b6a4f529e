#include "builder/mirror/edge/inrelease.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/builder/release/throw_away_key.h"

namespace weir::builder {
namespace {

const std::string kText = "Suite: stable\nDate: Sat, 21 Nov 2026 02:10:46 UTC\n- dashed\n";

Keyring ring(const ThrowAwayKey& key) {
  const auto out = read_keyring(key.keyring());
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  return *out;
}

}  // namespace

TEST_CASE("only the signed text of a good signature comes back") {
  const ThrowAwayKey key, other;
  const std::string file = key.clear_sign(kText);
  const auto text = verify_inrelease(file, ring(key));
  REQUIRE_MESSAGE(text.has_value(), text.error().message);
  CHECK(text->text() == kText);
  CHECK(text->signers() == std::vector{key.fingerprint()});

  const auto foreign = verify_inrelease(file, ring(other));
  REQUIRE_FALSE(foreign.has_value());
  CHECK(foreign.error().code == Errc::unauthorized);
  CHECK(foreign.error().message.find("not in the keyring") != std::string::npos);

  CHECK(read_keyring("/nonexistent.gpg").error().code == Errc::not_found);
  CHECK(verify_inrelease("x\n" + file, ring(key)).error().code == Errc::invalid_input);
  CHECK(verify_inrelease(file + file, ring(key)).error().code == Errc::invalid_input);
  CHECK(verify_inrelease(kText, ring(key)).error().code == Errc::invalid_input);

  std::string changed = file;
  changed.replace(changed.find("stable"), 6, "Stable");
  const auto bad = verify_inrelease(changed, ring(key));
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().code == Errc::unauthorized);
  CHECK(bad.error().message.find("bad") != std::string::npos);
}

TEST_CASE("no single changed byte of a signed file changes what is read") {
  const ThrowAwayKey key;
  const std::string file = key.clear_sign(kText);
  for (std::size_t at = 0; at < file.size(); at += 7) {
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 0x01);
    const auto text = verify_inrelease(changed, ring(key));
    CAPTURE(at);
    if (text) CHECK(text->text() == kText);
  }
}

TEST_CASE("a key that has expired, or a weak hash, is not enough") {
  const ThrowAwayKey old("--faked-system-time 20200101T000000!", "20200201T000000");
  const auto expired = verify_inrelease(old.clear_sign(kText), ring(old));
  REQUIRE_FALSE(expired.has_value());
  CHECK(expired.error().code == Errc::unauthorized);
  CHECK(expired.error().message.find("expired") != std::string::npos);

  const ThrowAwayKey key;
  const auto weak = verify_inrelease(key.clear_sign(kText, "--digest-algo SHA1"), ring(key));
  REQUIRE_FALSE(weak.has_value());
  CHECK(weak.error().code == Errc::unauthorized);
  CHECK(weak.error().message == "is signed over a weak hash only");
}

}  // namespace weir::builder
