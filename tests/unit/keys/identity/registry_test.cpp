#include "keys/identity/edge/registry.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "manifests/base/edge/file.h"
#include "tests/folders.h"
#include "tests/unit/images/scratch.h"

namespace weir::keys {
namespace {

constexpr const char* kAlice = "XcwBBmrs7wRx6dKr9MB9VhUebYPsOBJqUNWl2u+26Rs=";
// Of the example in docs/peers.md; nobody uses it.
constexpr const char* kThrowAway = "upD+/tex4rkCeUcujiDzkRlcLDkFKnA2f9x2B21kvy0=\n";

struct PeersDesk {
  test::TemporaryFolder folder;
  std::string peers = folder.path + "/peers.jsonl", psk = folder.path + "/psk";

  PeersDesk() {
    REQUIRE(write_file(peers, std::string("\n{\"public_key\": \"") + kAlice +
                                  "\", \"allowed_ips\": [\"10.8.0.2\"], "
                                  "\"preshared_key_file\": \"psk\"}\n")
                .has_value());
  }

  void put(const std::string& key, unsigned mode = 0600) const {
    REQUIRE(write_file(psk, key, mode).has_value());
  }

  [[nodiscard]] std::string refusal() const {
    const auto read = read_peers(peers);
    return read ? "" : read.error().message;
  }
};

}  // namespace

TEST_CASE("a gateway's keys are those of all epochs of its identity, and none before it is made") {
  const std::string corpus = test::source_folder() + "/tests/fuzz/corpus/identity/throw_away_";
  // RFC 7748, section 6.1: Alice's, then Bob's.
  const PublicKey alice = *PublicKey::parse("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="),
                  bob = *PublicKey::parse("3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=");
  CHECK(read_gateway_keys(corpus + "two_epochs").value() == std::vector{alice, bob});
  CHECK(read_gateway_keys(corpus + "one_epoch").value() == std::vector{alice});
  CHECK(read_gateway_keys(corpus + "none").value().empty());
}

TEST_CASE("a preshared key that cannot be used is found when the clients are read, with its line") {
  const PeersDesk desk;
  const std::string where = desk.peers + ":2: preshared_key_file: " + desk.psk + ": ";
  CHECK(desk.refusal() == where +
                              "No such file or directory; put there what the client has, or "
                              "make one for both: (umask 077; wg genpsk > " +
                              desk.psk + ")");
  desk.put(kThrowAway);
  CHECK(desk.refusal().empty());
  desk.put(std::string(43, 'A') + "=\n");
  CHECK(desk.refusal().starts_with(where + "is all zeros"));
  desk.put("not a key\n");
  CHECK(desk.refusal().starts_with(where));
  desk.put(kThrowAway, 0640);
  CHECK(desk.refusal().starts_with(where + "holds a secret in clear that others may read"));
  REQUIRE(::unlink(desk.psk.c_str()) == 0);
  REQUIRE(::mkfifo(desk.psk.c_str(), 0600) == 0);
  CHECK(desk.refusal().starts_with(where + "is a pipe"));
}

}  // namespace weir::keys
