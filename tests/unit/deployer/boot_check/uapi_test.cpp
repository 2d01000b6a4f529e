#include "deployer/boot_check/uapi.h"

#include <doctest/doctest.h>

#include "keys/signing/edge/key_files.h"

namespace weir::boot_check {
namespace {

keys::Secret secret(std::uint8_t first) {
  auto out = *keys::Secret::of_size(32);
  out.writable()[0] = first;
  out.writable()[31] = 0xf0;
  return out;
}

}  // namespace

// Names and forms: "Cross-Platform Userspace Implementation" on wireguard.com; keys in lower-case
// hex.
TEST_CASE("a device is configured in the words of the userspace protocol") {
  const auto own = secret(0xab), shared = secret(0x01);
  std::array<std::uint8_t, 32> raw{};
  raw[0] = 0x10;
  const auto text = uapi_set({.private_key = own,
                              .gateway = PublicKey::from_raw(raw),
                              .preshared_key = shared,
                              .endpoint = *Endpoint::parse("[2001:db8::1]:51820"),
                              .allowed_ips = {*Prefix::parse("203.0.113.10/32")}});
  REQUIRE(text.has_value());
  const std::string zeros(60, '0');
  CHECK(text->text() == "set=1\nprivate_key=ab" + zeros + "f0\nreplace_peers=true\npublic_key=10" +
                            zeros + "00\npreshared_key=01" + zeros +
                            "f0\nendpoint=[2001:db8::1]:51820\nreplace_allowed_ips=true\n"
                            "allowed_ip=203.0.113.10/32\n\n");
}

TEST_CASE("an answer's errno decides") {
  CHECK(parse_uapi_status("errno=0\n\n").has_value());
  const auto refused = parse_uapi_status("errno=-22\n\n");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().sys == EINVAL);
  for (const char* bad : {"", "\n", "errno\n", "errno=x\n", "errno=0 \n"}) {
    CAPTURE(bad);
    CHECK(parse_uapi_status(bad).error().code == Errc::invalid_input);
  }
}

TEST_CASE("handshake and counters of the peer are read") {
  const std::string peer = "private_key=00\nlisten_port=1\npublic_key=11\n";
  const auto seen = parse_uapi_peer(peer +
                                    "last_handshake_time_sec=1795305600\n"
                                    "last_handshake_time_nsec=5\ntx_bytes=18446744073709551615\n"
                                    "rx_bytes=7\nerrno=0\n\n");
  REQUIRE(seen.has_value());
  CHECK(seen->last_handshake_unix_ns == 1795305600000000005);
  CHECK(seen->tx_bytes == UINT64_MAX);
  CHECK(seen->rx_bytes == 7);
  CHECK(parse_uapi_peer("private_key=00\nerrno=0\n\n").error().code == Errc::not_found);
  CHECK(parse_uapi_peer(peer + "errno=-13\n\n").error().code == Errc::kernel);
  for (const char* bad : {"rx_bytes=-1\n", "last_handshake_time_sec=9223372036854775807\n",
                          "last_handshake_time_nsec=1000000000\n"}) {
    CAPTURE(bad);
    CHECK(parse_uapi_peer(peer + bad + "errno=0\n\n").error().code == Errc::invalid_input);
  }
}

}  // namespace weir::boot_check
