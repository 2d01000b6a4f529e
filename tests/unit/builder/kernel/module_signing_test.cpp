#include "builder/kernel/module_signing.h"

#include <doctest/doctest.h>

#include "builder/kernel/kernel_binding.h"
#include "tests/text.h"
#include "tests/unit/builder/mirror/package_workshop.h"

namespace weir::builder {
namespace {

using test::has;
using test::Workshop;

Result<std::string> no_passphrase() {
  return fail(Errc::unauthorized, "nobody is asked");
}

ModuleSigningKey key_of(const Workshop& workshop, const std::string& file) {
  auto key = ModuleSigningKey::open(workshop.read(file), no_passphrase);
  REQUIRE_MESSAGE(key.has_value(), key.error().message);
  return std::move(*key);
}

KernelCertificate certificate_of(const Workshop& workshop, const std::string& file) {
  const auto der = read_signing_certificate(workshop.read(file));
  REQUIRE_MESSAGE(der.has_value(), der.error().message);
  auto certificate = parse_kernel_certificate(as_bytes(*der));
  REQUIRE_MESSAGE(certificate.has_value(), certificate.error().message);
  return std::move(*certificate);
}

}  // namespace

TEST_CASE("a signature is that of openssl, byte for byte, and openssl finds it good") {
  const Workshop workshop;
  workshop.module("net.ko", {"name=net", "vermagic=6.1", "depends="}, {}, {});
  workshop.sign("net.ko", "operator");
  const std::string by_openssl = workshop.read("net.ko");
  workshop.module("net.ko", {"name=net", "vermagic=6.1", "depends="}, {}, {});
  const std::string plain = workshop.read("net.ko");
  const KernelCertificate certificate = certificate_of(workshop, "operator.crt");
  const auto message = key_of(workshop, "operator.pem").sign(as_bytes(plain), certificate);
  REQUIRE_MESSAGE(message.has_value(), message.error().message);
  CHECK(with_signature(plain, *message) == by_openssl);
  workshop.write("message", *message);
  workshop.run(
      "openssl cms -verify -inform DER -in message -binary -content net.ko -noverify "
      "-certfile operator.crt -nointern -out /dev/null 2> said");
  CHECK(has(workshop.read("said"), "erification successful"));
}

TEST_CASE("an encrypted key opens with its passphrase and no other; another's key does not sign") {
  const Workshop workshop;
  workshop.module("net.ko", {"name=net", "vermagic=6.1", "depends="}, {}, {});
  workshop.sign("net.ko", "operator");
  workshop.sign("net.ko", "stranger");
  workshop.run("openssl pkcs8 -topk8 -in operator.pem -passout pass:abc -out sealed.pem");
  const std::string sealed = workshop.read("sealed.pem");
  const KernelCertificate certificate = certificate_of(workshop, "operator.crt");
  const auto opened = ModuleSigningKey::open(sealed, [] { return Result<std::string>("abc"); });
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  CHECK(opened->sign(as_bytes("x"), certificate).value() ==
        key_of(workshop, "operator.pem").sign(as_bytes("x"), certificate).value());

  const auto wrong = ModuleSigningKey::open(sealed, [] { return Result<std::string>("abd"); });
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().code == Errc::unauthorized);
  CHECK(has(wrong.error().message, "does not open with this passphrase"));
  const auto asked = ModuleSigningKey::open(sealed, no_passphrase);
  REQUIRE_FALSE(asked.has_value());
  CHECK(asked.error().message == "nobody is asked");
  const auto none = ModuleSigningKey::open(workshop.read("operator.crt"), no_passphrase);
  REQUIRE_FALSE(none.has_value());
  CHECK(has(none.error().message, "holds a certificate, and what signs is the private key"));

  const auto other = key_of(workshop, "stranger.pem").sign(as_bytes("x"), certificate);
  REQUIRE_FALSE(other.has_value());
  CHECK(has(other.error().message, "is not the key of the certificate that the lock names"));
}

TEST_CASE("a signer is one certificate of a key that kernels check modules by") {
  const Workshop workshop;
  workshop.run(
      "openssl req -x509 -newkey ed25519 -nodes -keyout ed.pem -out ed.crt -subj /CN=x -days 9 "
      "2> /dev/null; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
      "-keyout ec.pem -out ec.crt -subj /CN=x -days 9 2> /dev/null; cat ec.crt ed.crt > two.crt");
  CHECK(read_signing_certificate(workshop.read("ec.crt")).has_value());
  const std::pair<const char*, const char*> cases[] = {
      {"ed.crt", "kernels do not check modules by"},
      {"ec.pem", "holds no certificate in PEM"},
      {"two.crt", "holds several certificates"}};
  for (const auto& one : cases) {
    CAPTURE(one.first);
    const auto refused = read_signing_certificate(workshop.read(one.first));
    REQUIRE_FALSE(refused.has_value());
    CHECK(has(refused.error().message, one.second));
  }
}

}  // namespace weir::builder
