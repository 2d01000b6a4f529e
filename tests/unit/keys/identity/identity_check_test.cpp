#include "keys/identity/edge/identity_check.h"

#include <doctest/doctest.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "keys/identity/edge/identity_files.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "tests/folders.h"
#include "tests/unit/images/scratch.h"
#include "tests/unit/keys/identity/sealed_by_hand.h"

namespace weir::keys {
namespace {

/// The example's fleet in a folder of its own, with an identity that `gw.seal` opens.
struct Desk {
  test::TemporaryFolder folder;
  manifests::Fleet fleet = example();
  std::string identity = folder.path + "/gateway.identity", key = folder.path + "/gw.seal";

  Desk() {
    fleet.identity_key_file = "gw.seal";
    put_key('k');
    seal(SealingKey::Kind::key_file);
  }

  static manifests::Fleet example() {
    const auto text = read_file(test::source_folder() + "/examples/fleet.yaml", ByteCount{1 << 20});
    REQUIRE(text.has_value());
    auto fleet = manifests::parse_fleet(*text);
    REQUIRE(fleet.has_value());
    return *std::move(fleet);
  }
  void put_key(char byte, unsigned mode = 0600) const {
    REQUIRE(write_file(key, std::string(32, byte), mode).has_value());
  }
  void seal(SealingKey::Kind kind) const {
    const auto made = make_wireguard_identity();
    const auto salt = random_secret(16), nonce = random_secret(24);
    auto bytes = Secret::copy_of(as_bytes(std::string(32, 'k')));
    REQUIRE((made && salt && nonce && bytes));
    const auto sealed =
        seal_identity(*made, {kind, std::move(*bytes)}, salt->bytes(), nonce->bytes());
    REQUIRE(sealed.has_value());
    REQUIRE(write_file(identity, *sealed, 0600).has_value());
  }
  [[nodiscard]] std::string refusal() const {
    const Status checked = check_identity(fleet, folder.path);
    return checked ? "" : checked.error().message;
  }
  void refused(const std::string& where, const std::string& says) const {
    const std::string said = refusal();
    CAPTURE(said);
    CHECK(said.starts_with(where));
    CHECK(said.find(says) != std::string::npos);
  }
};

}  // namespace

TEST_CASE("an identity that cannot be opened is told with its field, its file and what to do") {
  Desk desk;
  CHECK(desk.refusal().empty());
  SUBCASE("no identity") {
    REQUIRE(::unlink(desk.identity.c_str()) == 0);
    desk.refused("identity: " + desk.identity,
                 "weir-keys generate-wireguard --out " + desk.identity + " --key-file " + desk.key);
  }
  SUBCASE("what is no identity") {
    REQUIRE(write_file(desk.identity, "junk", 0600).has_value());
    desk.refused("identity: " + desk.identity, "generate-wireguard wrote");
  }
  SUBCASE("a pipe in place of an identity") {
    REQUIRE(::unlink(desk.identity.c_str()) == 0);
    REQUIRE(::mkfifo(desk.identity.c_str(), 0600) == 0);
    desk.refused("identity: " + desk.identity, "pipe");
  }
  SUBCASE("no key file") {
    REQUIRE(::unlink(desk.key.c_str()) == 0);
    desk.refused("identity_key_file: " + desk.key, "was sealed with");
  }
  SUBCASE("a key file that others may read") {
    REQUIRE(::chmod(desk.key.c_str(), 0644) == 0);
    desk.refused("identity_key_file: " + desk.key, "chmod 600");
  }
  SUBCASE("a key file of somebody else") {
    if (::geteuid() != 0) return;  // only root can give it away
    REQUIRE(::chown(desk.key.c_str(), 4711, 4711) == 0);
    desk.refused("identity_key_file: " + desk.key, "4711");
  }
  SUBCASE("a key file that is too short") {
    REQUIRE(write_file(desk.key, "short", 0600).has_value());
    desk.refused("identity_key_file: " + desk.key, "32 bytes");
  }
  SUBCASE("another key file") {
    desk.put_key('x');
    desk.refused("identity_key_file: " + desk.key, "does not open " + desk.identity);
  }
  SUBCASE("no key file is named") {
    desk.fleet.identity_key_file.reset();
    desk.refused("identity: " + desk.identity, "`identity_key_file`");
  }
}

TEST_CASE("an identity of two epochs is refused, with both public keys and what to do") {
  Desk desk;
  const auto two = read_file(
      test::source_folder() + "/tests/fuzz/corpus/identity/throw_away_two_epochs", kLargestKeyFile);
  REQUIRE(two.has_value());
  REQUIRE(write_file(desk.identity, *two, 0600).has_value());
  // RFC 7748, section 6.1: Alice's, then Bob's.
  const std::string where = "identity: " + desk.identity + ": holds two epochs, ";
  const std::string keys =
      "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo= on its way out and "
      "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08= for it";
  desk.refused(where, keys);
  desk.refused(where, "put an identity there that holds one of them alone");
  CHECK(check_identity(desk.fleet, desk.folder.path).error().code == Errc::invalid_input);
  // Nothing is opened for that.
  REQUIRE(::unlink(desk.key.c_str()) == 0);
  desk.refused(where, keys);
}

TEST_CASE(
    "an identity whose private key is not its public key's was opened, and no key file helps") {
  Desk desk;
  // RFC 7748, section 6.1: Alice's public key, Bob's private one.
  std::string bob(32, '\0');
  REQUIRE(sodium_hex2bin(reinterpret_cast<unsigned char*>(bob.data()), bob.size(),
                         "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", 64,
                         nullptr, nullptr, nullptr) == 0);
  const std::string sealed =
      test::sealed_by_hand(R"("type":"weir.wireguard-identity/1","public_key":)"
                           R"("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=")",
                           bob);
  REQUIRE(write_file(desk.identity, sealed, 0600).has_value());
  const std::string where = "identity: " + desk.identity + ": was opened, and contradicts itself: ";
  desk.refused(where, "is not the one of hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
  desk.refused(where, "restore the file, or make the identity again");
  CHECK(desk.refusal().find("key file that it was sealed with") == std::string::npos);
}

TEST_CASE("an identity's passphrase is not asked for by a check") {
  Desk desk;
  desk.seal(SealingKey::Kind::passphrase);
  desk.refused("identity_key_file: " + desk.identity, "sealed with a passphrase");
  desk.fleet.identity_key_file.reset();
  CHECK(desk.refusal().empty());
}

}  // namespace weir::keys
