#include "deployer/boot_check/tool_dump.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::boot_check {
namespace {

const std::string kKey = "EAt+0xWV4+vUmu0n+Jhpqo1ODH3sPkPSYfvBFNph7Xw=";
// `wg show all dump` of wireguard-tools 1.0.20210914: one device, one peer.
const std::string kDevice =
    "wg0\t(hidden)\tpYC9qsYzA5ofbCkNfgm01hRL8Kb3bqLOPV9EEDEeo08=\t51820\toff\n";
const std::string kPeer = "wg0\t" + kKey +
                          "\t(hidden)\t[2001:db8::2]:40001\t10.8.0.2/32,fd00:8::2/128\t1795305600\t"
                          "530000\t531000\toff\n";

manifests::PeerState seen() {
  manifests::PeerState out{
      .public_key = *PublicKey::parse(kKey), .allowed_ips = {}, .endpoint = {}};
  out.has_preshared_key = true;
  out.last_handshake_unix_ns = 1795305600'999999999;
  out.rx_bytes = 530000;
  out.tx_bytes = 531000;
  return out;
}

std::string with(std::string line, const std::string& from, const std::string& to) {
  REQUIRE(line.find(from) != std::string::npos);
  return line.replace(line.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("wg's dump of the one peer agrees with the agent, also when time went on") {
  CHECK(check_tool_dump(kDevice + kPeer, seen()).has_value());
  CHECK(check_tool_dump(kDevice + with(with(kPeer, "531000", "531032"), "5600", "5601"), seen())
            .has_value());
}

TEST_CASE("a wg that sees less or something else is refused, saying what") {
  const struct {
    std::string dump, why;
  } cases[] = {
      {"", "shows 0 peers"},
      {kDevice, "shows 0 peers"},
      {kDevice + kPeer + with(kPeer, "EAt", "EBt"), "shows 2 peers"},
      {kDevice + with(kPeer, "\toff\n", "\n"), "shows 0 peers"},
      {kDevice + with(kPeer, "EAt", "EBt"), "another public key"},
      {kDevice + with(kPeer, "(hidden)", "(none)"), "no preshared key"},
      {kDevice + with(kPeer, "1795305600", "0"), "another handshake"},
      {kDevice + with(kPeer, "530000", "0"), "fewer bytes"},
      {kDevice + with(kPeer, "531000", "531000 B"), "fewer bytes"},
  };
  for (const auto& [dump, why] : cases) {
    const auto& shown = why;  // clang 14 captures no structured binding
    CAPTURE(shown);
    const auto refused = check_tool_dump(dump, seen());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::integrity);
    CHECK(refused.error().message.find("the image's wg does not see") != std::string::npos);
    CHECK(refused.error().message.find(why) != std::string::npos);
  }
}

}  // namespace weir::boot_check
