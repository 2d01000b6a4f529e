#include "builder/layers/certificate_bundle.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "manifests/base/digest.h"

namespace weir::builder {
namespace {

using Lines = std::vector<std::string>;

// Certificates that sign themselves, made for this test; two have the subject CN=same.
const std::string kOne =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBHzCB0qADAgECAgEBMAUGAytlcDAOMQwwCgYDVQQDDANvbmUwIBcNMjYxMTI5\n"
    "MjAzMTUwWhgPMjEyNjExMDUyMDMxNTBaMA4xDDAKBgNVBAMMA29uZTAqMAUGAytl\n"
    "cAMhAKG9cUdVvOqNjlP8WVx377XzOAadqUD7y1ZRkNIhm7SOo1MwUTAdBgNVHQ4E\n"
    "FgQUZXFahwsdUkw8YLTuXyTB1cHJckwwHwYDVR0jBBgwFoAUZXFahwsdUkw8YLTu\n"
    "XyTB1cHJckwwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQCKF8Ij1/O4SjtuZ9L0\n"
    "hJxapqzXqcpF+gbCmyso5+eyxr2fAfjGMw2PDmLjJfIjWaKmantl2mtO9WuoHCdO\n"
    "du8L\n"
    "-----END CERTIFICATE-----";
const std::string kSameA =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBITCB1KADAgECAgEDMAUGAytlcDAPMQ0wCwYDVQQDDARzYW1lMCAXDTI2MTEy\n"
    "OTIwMzE1MFoYDzIxMjYxMTA1MjAzMTUwWjAPMQ0wCwYDVQQDDARzYW1lMCowBQYD\n"
    "K2VwAyEAKCEWHFn/xl/lzU5UEswNoqsoQFtEjnrsmKJTPo67eHWjUzBRMB0GA1Ud\n"
    "DgQWBBREGYF8WuG9jp0qag1mP83ckhV1cjAfBgNVHSMEGDAWgBREGYF8WuG9jp0q\n"
    "ag1mP83ckhV1cjAPBgNVHRMBAf8EBTADAQH/MAUGAytlcANBACEwPCDD+6iuuBBC\n"
    "H1atGJd1wgieQ/6Av2Cz4BqKJlm41SpyGn1xifhjrHMoIAOl6AiLpGKfuOIMW3+c\n"
    "cEzkJgs=\n"
    "-----END CERTIFICATE-----";
const std::string kSameB =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBITCB1KADAgECAgECMAUGAytlcDAPMQ0wCwYDVQQDDARzYW1lMCAXDTI2MTEy\n"
    "OTIwMzE1MFoYDzIxMjYxMTA1MjAzMTUwWjAPMQ0wCwYDVQQDDARzYW1lMCowBQYD\n"
    "K2VwAyEAlKEsdZLfnle+9QBV9RBJ04nrRAdYkL0Mu7/FJ00GjnyjUzBRMB0GA1Ud\n"
    "DgQWBBQGGvuCpdGtUVrCqFq4JYolO0opdTAfBgNVHSMEGDAWgBQGGvuCpdGtUVrC\n"
    "qFq4JYolO0opdTAPBgNVHRMBAf8EBTADAQH/MAUGAytlcANBABQ55O5NWg3ba7gr\n"
    "ebPE5IqWdNoTTnjJb/y0vpPJEPKK9wD8iDjHeKULfUMr/mPQ/QCTaSAn8ryPGlEd\n"
    "a3uEngQ=\n"
    "-----END CERTIFICATE-----";
const std::string kOff =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBHzCB0qADAgECAgEEMAUGAytlcDAOMQwwCgYDVQQDDANvZmYwIBcNMjYxMTI5\n"
    "MjAzMTUwWhgPMjEyNjExMDUyMDMxNTBaMA4xDDAKBgNVBAMMA29mZjAqMAUGAytl\n"
    "cAMhAFZAYP98vvUwJod5PQdvZzwh9KWyzfIKxjzCLGwNYMfgo1MwUTAdBgNVHQ4E\n"
    "FgQUiiSkuknPkI0XAqWu7+06aef4VOgwHwYDVR0jBBgwFoAUiiSkuknPkI0XAqWu\n"
    "7+06aef4VOgwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQCvxgvCG3j2fP8UgsWM\n"
    "s+/U7zEAiiAr8k+mHgU82NPhzR6LVZ9N3ZeV3OqsGs3urb5XNf5GrSsYDnUm2T/e\n"
    "l2gO\n"
    "-----END CERTIFICATE-----";
const std::string kOwn =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBHzCB0qADAgECAgEFMAUGAytlcDAOMQwwCgYDVQQDDANvd24wIBcNMjYxMTI5\n"
    "MjAzMTUwWhgPMjEyNjExMDUyMDMxNTBaMA4xDDAKBgNVBAMMA293bjAqMAUGAytl\n"
    "cAMhAGDsy7Vyirm5H9o3TOv7paGpzBQBQZve7VV/nWIcJquPo1MwUTAdBgNVHQ4E\n"
    "FgQU2beraLtDKrsnRXjuuxDL/VA2ub4wHwYDVR0jBBgwFoAU2beraLtDKrsnRXju\n"
    "uxDL/VA2ub4wDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQBBw50o9U34j7mcSqqA\n"
    "+LGk/a8LYQ9nfUb8pRk3oJ1HTqUGFGqECFi7YCeI76aq/Ai9cXuIg6ASmIn1BnyV\n"
    "eIIL\n"
    "-----END CERTIFICATE-----";

std::map<std::string, std::string> certificate_files() {
  return {{"usr/share/ca-certificates/pub/A_same.crt", kSameA + "\n"},
          {"usr/share/ca-certificates/pub/B_same.crt", kSameB + "\n"},
          {"usr/share/ca-certificates/pub/C_same.crt", kSameA + "\n"},
          {"usr/share/ca-certificates/pub/One CA (2), first.crt", kOne + "\n"},
          {"usr/share/ca-certificates/pub/off.crt", kOff + "\n"},
          {"usr/local/share/ca-certificates/deep/own.crt", kOwn},
          {"usr/local/share/ca-certificates/two.crt", kOwn + "\n" + kOff + "\n"}};
}

Lines bundle_links(const MadePlaces& places) {
  Lines out;
  for (const auto& [path, node] : places.made) {
    const std::string name = path.string().substr(path.string().rfind('/') + 1);
    if (const auto* link = node.symlink()) out.push_back(name + " -> " + link->target);
  }
  return out;
}

std::string bundle_text(const MadePlaces& places) {
  for (const auto& [path, node] : places.made) {
    if (path.string() == "etc/ssl/certs/ca-certificates.crt") {
      const auto& bytes = *node.file()->content;
      return {bytes.begin(), bytes.end()};
    }
  }
  return "";
}

}  // namespace

// Links and the bundle's digest are of update-ca-certificates of ca-certificates
// 20230311+deb12u1, with openssl 3.0.19, on the same files and the same list.
TEST_CASE("the bundle of certificates is what update-ca-certificates makes") {
  auto given = certificate_files();
  given["etc/ca-certificates.conf"] =
      "# comment\npub/C_same.crt\npub/B_same.crt\n\n!pub/off.crt\npub/missing.crt\n"
      "pub/One CA (2), first.crt\npub/A_same.crt\n";
  const auto places = certificate_bundle(given, Overlay(), {}, 7);
  CHECK(bundle_links(places) ==
        Lines{"1adcc9b3.0 -> One_CA_=2=__first.pem", "8f911d2f.0 -> A_same.pem",
              "8f911d2f.1 -> B_same.pem", "980bbe2c.0 -> own.pem",
              "A_same.pem -> /usr/share/ca-certificates/pub/A_same.crt",
              "B_same.pem -> /usr/share/ca-certificates/pub/B_same.crt",
              "C_same.pem -> /usr/share/ca-certificates/pub/C_same.crt",
              "One_CA_=2=__first.pem -> /usr/share/ca-certificates/pub/One CA (2), first.crt",
              "own.pem -> /usr/local/share/ca-certificates/deep/own.crt",
              "two.pem -> /usr/local/share/ca-certificates/two.crt"});
  CHECK(Digest::of(as_bytes(bundle_text(places))).hex() ==
        "94ffd99ac6ef9df12f01b6ceb7e6736fce801beef4edea9d33b3b1f5aeea1a6d");
  CHECK(places.unmade == Lines{"/etc/ca-certificates.conf: no "
                               "/usr/share/ca-certificates/pub/missing.crt in the image"});
}

TEST_CASE("without a list all certificates are trusted, and what is no certificate is said") {
  const auto all = certificate_bundle(certificate_files(), Overlay(), {}, 7);
  CHECK(bundle_links(all).size() == 12);
  CHECK(all.unmade.empty());
  CHECK(certificate_bundle({}, Overlay(), {}, 7).made.empty());

  const auto none =
      certificate_bundle({{"usr/local/share/ca-certificates/x.crt", "no\n"}}, Overlay(), {}, 7);
  CHECK(none.unmade ==
        Lines{"/usr/local/share/ca-certificates/x.crt: no certificate in it, or a damaged one"});
  CHECK(none.made.empty());

  // Behind a damaged one nobody would read any more.
  auto damaged = certificate_files();
  damaged["usr/local/share/ca-certificates/a.crt"] =
      kOwn + "\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  const auto others = certificate_bundle(damaged, Overlay(), {}, 7);
  CHECK(bundle_text(others) == bundle_text(all));
  CHECK(others.unmade.size() == 1);

  const auto decided =
      certificate_bundle(certificate_files(), Overlay(), {"etc/ssl/certs/ca-certificates.crt"}, 7);
  CHECK(bundle_text(decided).empty());
  CHECK(bundle_links(decided).size() == 12);
}

}  // namespace weir::builder
