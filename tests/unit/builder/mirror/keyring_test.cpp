#include "builder/mirror/keyring.h"

#include <doctest/doctest.h>

#include "tests/unit/builder/release/throw_away_key.h"

namespace weir::builder {
namespace {

std::string exported(const ThrowAwayKey& key) {
  return test::bytes_of(key.keyring());
}

}  // namespace

TEST_CASE("a keyring is the same whether it is binary, armoured, or a Signed-By block") {
  const ThrowAwayKey key, other;
  const auto plain = Keyring::parse(exported(key));
  REQUIRE_MESSAGE(plain.has_value(), plain.error().message);
  CHECK(plain->bytes() == exported(key));
  const std::string block = key.armoured();
  REQUIRE(block.find("BEGIN PGP PUBLIC KEY BLOCK") != std::string::npos);
  std::string field, crlf, without_sum;
  for (const char c : block) {
    crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  }
  std::string_view rest = block;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    field += line.empty() ? " .\n" : " " + std::string(line) + "\n";
    const bool sum = line.size() == 5 && line.front() == '=';
    if (!sum) without_sum += std::string(line) + "\n";
  }
  for (const std::string& text : {block, crlf, field, without_sum, "my keys\n" + block}) {
    CAPTURE(text);
    const auto keyring = Keyring::parse(text);
    REQUIRE_MESSAGE(keyring.has_value(), keyring.error().message);
    CHECK(keyring->bytes() == exported(key));
  }
  const auto both = Keyring::parse(block + other.armoured());
  REQUIRE(both.has_value());
  CHECK(both->bytes() == exported(key) + exported(other));

  for (const std::string& bad :
       {std::string(), std::string("text"), block.substr(0, block.size() / 2),
        std::string("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!\n"
                    "-----END PGP PUBLIC KEY BLOCK-----\n")}) {
    const auto none = Keyring::parse(bad);
    CAPTURE(bad);
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().code == Errc::invalid_input);
  }
}

TEST_CASE("two keyrings share a key where one key is in both") {
  const ThrowAwayKey key, other;
  const auto one = Keyring::parse(exported(key)), two = Keyring::parse(exported(other)),
             both = Keyring::parse(exported(other) + exported(key));
  REQUIRE((one && two && both));
  CHECK(share_a_key(*one, *one));
  CHECK(share_a_key(*one, *both));
  CHECK(share_a_key(*both, *two));
  CHECK_FALSE(share_a_key(*one, *two));
  // Old and new headers, and whatever else Debian's own keyring has.
  const auto debian =
      Keyring::parse(test::bytes_of("/usr/share/keyrings/debian-archive-keyring.gpg"));
  REQUIRE(debian.has_value());
  const auto stable =
      Keyring::parse(test::bytes_of("/usr/share/keyrings/debian-archive-bookworm-stable.gpg"));
  REQUIRE(stable.has_value());
  CHECK(share_a_key(*debian, *stable));
  CHECK_FALSE(share_a_key(*debian, *one));
}

}  // namespace weir::builder
