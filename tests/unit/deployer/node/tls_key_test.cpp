// Keys of the node API's two ends: OpenSSL's programs make them and read them, and none stays in
// memory.
#include "deployer/node_client/tls_key.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

#include "deployer/node_client/edge/https_node_client.h"
#include "deployer/node_client/edge/make_tls_key.h"
#include "manifests/base/edge/file.h"
#include "tests/unit/images/scratch.h"
#include "tests/unit/own_memory.h"

namespace weir::node_client {
namespace {

struct Made {
  test::TemporaryFolder folder;
  std::string file = folder.path + "/key";
  Made() { test::must("umask 077 && openssl genpkey -algorithm ed25519 -out " + file); }
  [[nodiscard]] std::string read() const { return *read_file(file, ByteCount{1 << 16}); }
};

}  // namespace

TEST_CASE("a key that openssl made is read, and its pin is the digest that openssl has") {
  const Made made;
  const std::string digest =
      test::must("openssl pkey -in " + made.file + " -pubout -outform DER | sha256sum");
  const auto pin = pin_of(*read_tls_key(made.read()));
  REQUIRE(pin.has_value());
  CHECK(pin->hex() == digest.substr(0, 64));
}

TEST_CASE("a key is written as openssl writes it") {
  const Made made;
  // The last 32 of its 48 bytes.
  const std::string raw =
      test::must("openssl pkey -outform DER -in " + made.file + " | tail -c 32 > " + made.file +
                 ".raw; cat " + made.file + ".raw");
  REQUIRE(raw.size() == 32);
  std::array<std::uint8_t, 32> secret{};
  std::copy(raw.begin(), raw.end(), secret.begin());
  CHECK(print_tls_key(secret) == made.read());
  const auto ours = make_tls_key();
  REQUIRE(ours.has_value());
  REQUIRE(write_file(made.file, ours->private_key_pem, 0600).has_value());
  const std::string digest =
      test::must("openssl pkey -in " + made.file + " -pubout -outform DER | sha256sum");
  CHECK(ours->pin.hex() == digest.substr(0, 64));
}

TEST_CASE("what is no Ed25519 key in clear is refused") {
  const test::TemporaryFolder folder;
  for (const std::string how :
       {"-algorithm x25519", "-algorithm rsa -pkeyopt rsa_keygen_bits:2048",
        "-algorithm ed25519 -aes256 -pass pass:x", "-algorithm ed25519 -outform DER"}) {
    CAPTURE(how);
    const std::string text = test::must("openssl genpkey " + how + " 2> /dev/null > " +
                                        folder.path + "/k; cat " + folder.path + "/k");
    CHECK(read_tls_key(text).error().code == Errc::invalid_input);
  }
  const Made made;
  const std::string good = made.read();
  CHECK(read_tls_key(good).has_value());
  for (std::size_t size = 0; size + 1 < good.size(); ++size) {
    CHECK_FALSE(read_tls_key(std::string_view(good).substr(0, size)).has_value());
  }
  CHECK_FALSE(read_tls_key(good + "x").has_value());
}

TEST_CASE("the deployer's key leaves no copy of itself in memory") {
  const Made made;
  const std::string other_case = test::must("sed -n 2p " + made.file + " | tr A-Za-z a-zA-Z");
  const std::string asked = other_case.substr(0, 60);
  {
    const auto key = read_tls_key_file(made.file);
    REQUIRE(key.has_value());
    CHECK(pin_of(*key).has_value());
    CHECK(certificate_of(*key).has_value());
    CHECK_FALSE(test::memory_holds(asked));
  }
  {
    auto where = network::NetworkNamespace::open({});
    REQUIRE(where.has_value());
    const auto client = HttpsNodeClient::open(
        {*NodeId::parse("blue-1"), IpAddress::v4({127, 0, 0, 1}), Digest::of({}), made.file},
        std::move(*where), std::chrono::milliseconds(1000));
    REQUIRE(client.has_value());
    CHECK_FALSE(test::memory_holds(asked));
  }
  CHECK_FALSE(test::memory_holds(asked));
  // What is looked for would be found.
  const std::string held = made.read();
  CHECK(test::memory_holds(asked));
}

}  // namespace weir::node_client
