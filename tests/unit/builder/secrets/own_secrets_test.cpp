#include "builder/secrets/edge/own_secrets.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/folders.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {

TEST_CASE("an image is searched for the private keys of all epochs of an identity") {
  const test::TemporaryFolder folder;
  const std::string identity = folder.path + "/gateway.identity", seal = folder.path + "/seal";
  const std::string corpus = test::source_folder() + "/tests/fuzz/corpus/identity/throw_away_";
  REQUIRE(write_file(identity, test::bytes_of(corpus + "two_epochs"), 0600).has_value());
  REQUIRE(write_file(seal, std::string(32, 'k'), 0600).has_value());
  const auto found = read_own_secrets({identity}, seal);
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  // RFC 7748, section 6.1, and the key file.
  for (const std::string& expected :
       {std::string("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
        std::string("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
        hex_of(as_bytes(std::string(32, 'k')))}) {
    CAPTURE(expected);
    CHECK(std::count_if(found->begin(), found->end(), [&](const keys::Secret& secret) {
            return hex_of(secret.bytes()) == expected;
          }) == 1);
  }
  CHECK(found->size() == 3);
}

TEST_CASE("an image is searched for a key file that begins as JSON does") {
  const test::TemporaryFolder folder;
  const std::string seal = folder.path + "/seal", raw = "{" + std::string(31, 'k');
  REQUIRE(write_file(seal, raw, 0600).has_value());
  const auto found = read_own_secrets({seal}, std::nullopt);
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  REQUIRE(found->size() == 1);
  CHECK(found->front().text() == raw);
}

}  // namespace weir::builder
