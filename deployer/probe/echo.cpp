#include "deployer/probe/echo.h"

#include <initializer_list>

namespace weir::probe {
namespace {

constexpr std::string_view kPayload = "weir probe";
constexpr std::uint8_t kIcmp = 1, kIcmpV6 = 58;

std::string big16(std::size_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

/// The Internet checksum (RFC 1071) over the pieces, each of even length but the last.
std::uint16_t checksum(std::initializer_list<std::string_view> pieces) {
  std::uint32_t sum = 0;
  for (std::string_view piece : pieces) {
    for (std::size_t i = 0; i < piece.size(); ++i) {
      const auto byte = static_cast<unsigned char>(piece[i]);
      sum += i % 2 == 0 ? static_cast<std::uint32_t>(byte) << 8 : byte;
    }
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// What ICMPv6's checksum covers in front of the message (RFC 8200, section 8.1); nothing for ICMP.
std::string pseudo_header(const IpAddress& source, const IpAddress& target, std::size_t size) {
  if (source.is_v4()) return {};
  return std::string(source.raw()) + std::string(target.raw()) + big16(0) + big16(size) +
         std::string(3, '\0') + static_cast<char>(kIcmpV6);
}

std::string icmp_message(const Echo& echo, bool reply) {
  const char type = echo.source.is_v4() ? (reply ? 0 : 8) : static_cast<char>(reply ? 129 : 128);
  std::string out = std::string{type, '\0'} + big16(0) + big16(echo.id) + big16(echo.sequence);
  out += kPayload;
  const IpAddress& from = reply ? echo.target : echo.source;
  const IpAddress& to = reply ? echo.source : echo.target;
  out.replace(2, 2, big16(checksum({pseudo_header(from, to, out.size()), out})));
  return out;
}

}  // namespace

Result<std::string> echo_request(const Echo& echo) {
  if (echo.source.is_v4() != echo.target.is_v4()) {
    return fail(Errc::invalid_input, "probe: " + echo.source.string() + " and " +
                                         echo.target.string() + " are of two IP versions");
  }
  const std::string message = icmp_message(echo, false);
  constexpr char kHops = 64;
  if (echo.source.is_v6()) {
    return std::string("\x60\0\0\0", 4) + big16(message.size()) + static_cast<char>(kIcmpV6) +
           kHops + std::string(echo.source.raw()) + std::string(echo.target.raw()) + message;
  }
  std::string header = std::string("\x45\0", 2) + big16(20 + message.size()) + big16(echo.id) +
                       big16(0) + kHops + static_cast<char>(kIcmp) + big16(0) +
                       std::string(echo.source.raw()) + std::string(echo.target.raw());
  header.replace(10, 2, big16(checksum({header})));
  return header + message;
}

bool is_reply_to(const Echo& echo, Bytes packet) {
  const std::string_view text(reinterpret_cast<const char*>(packet.data()), packet.size());
  const std::string expected = icmp_message(echo, true);
  const std::string from(echo.target.raw());
  const std::string to(echo.source.raw());
  if (echo.source.is_v6()) {
    return text.size() >= 40 + expected.size() && packet[0] >> 4 == 6 && packet[6] == kIcmpV6 &&
           text.substr(8, 32) == from + to && text.substr(40, expected.size()) == expected;
  }
  if (text.size() < 20 || packet[0] >> 4 != 4 || packet[9] != kIcmp) return false;
  // Options are allowed, and ignored.
  const std::size_t header = std::size_t{4} * (packet[0] & 15U);
  return header >= 20 && text.size() >= header + expected.size() &&
         text.substr(12, 8) == from + to && text.substr(header, expected.size()) == expected;
}

}  // namespace weir::probe
