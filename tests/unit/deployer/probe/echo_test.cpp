#include "deployer/probe/echo.h"

#include <doctest/doctest.h>

namespace weir::probe {
namespace {

const Echo kV4{*IpAddress::parse("10.8.0.9"), *IpAddress::parse("10.8.0.1"), 0x1234, 1};
const Echo kV6{*IpAddress::parse("fd00:8::9"), *IpAddress::parse("fd00:8::1"), 0x1234, 1};

// Recorded from a Linux kernel, with the padding of a WireGuard message behind it.
const char* const kReplyV4 =
    "4500002627e8000040013ed60a0800010a080009000017ae12340001776569722070726f62650000000000000000"
    "0000";
// Made with CPython's struct module from RFC 8200 and RFC 4443.
const char* const kRequestV6 =
    "6000000000123a40fd000008000000000000000000000009fd00000800000000000000000000000180009d45123400"
    "01776569722070726f6265";
const char* const kReplyV6 =
    "6000000000123a40fd000008000000000000000000000001fd00000800000000000000000000000981009c45123400"
    "01776569722070726f6265";

std::string packet(const char* hex) {
  return *parse_hex(hex);
}

}  // namespace

TEST_CASE("requests are what RFC 4443 says") {
  CHECK(hex_of(as_bytes(*echo_request(kV6))) == kRequestV6);
  CHECK(echo_request(kV4)->size() == 38);
  CHECK_FALSE(echo_request({kV4.source, kV6.target, 1, 1}).has_value());
}

TEST_CASE("only the answer to this very request counts") {
  for (const auto& [echo, hex] : {std::pair{kV4, kReplyV4}, std::pair{kV6, kReplyV6}}) {
    const std::string good = packet(hex);
    CHECK(is_reply_to(echo, as_bytes(good)));
    Echo next = echo;
    ++next.sequence;
    CHECK_FALSE(is_reply_to(next, as_bytes(good)));
    CHECK_FALSE(is_reply_to(echo, as_bytes(*echo_request(echo))));
    const std::size_t header = echo.source.is_v4() ? 20 : 40;
    for (std::size_t size = 0; size < header + 18; ++size) {
      CHECK_FALSE(is_reply_to(echo, as_bytes(good).first(size)));
    }
    for (std::size_t at = header; at < header + 18; ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      CAPTURE(at);
      CHECK_FALSE(is_reply_to(echo, as_bytes(bad)));
    }
  }
  CHECK_FALSE(is_reply_to(kV4, as_bytes(packet(kReplyV6))));
  CHECK_FALSE(is_reply_to(kV6, as_bytes(packet(kReplyV4))));
  CHECK_FALSE(is_reply_to(kV4, as_bytes(std::string(38, '\x4f'))));
}

}  // namespace weir::probe
