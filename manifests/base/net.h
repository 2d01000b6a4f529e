#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir {

/// An IPv4 or IPv6 address, bytes in network order.
class IpAddress {
 public:
  /// Dotted quad or RFC 4291 text without zone. errors: invalid_input
  static Result<IpAddress> parse(std::string_view text);
  static IpAddress v4(const std::array<std::uint8_t, 4>& raw);
  static IpAddress v6(const std::array<std::uint8_t, 16>& raw);

  [[nodiscard]] bool is_v4() const { return v4_; }
  [[nodiscard]] bool is_v6() const { return !v4_; }
  /// 4 or 16 bytes.
  [[nodiscard]] std::string_view raw() const;
  [[nodiscard]] std::string string() const;  ///< RFC 5952 form
  /// The address `n` after this one (carries through all bytes).
  [[nodiscard]] IpAddress plus(std::uint32_t n) const;

  /// Why no packet can be sent to this address of one host over any link: "a multicast address",
  /// "the unspecified address", loopback, broadcast, link-local, or IPv4 written as IPv6; empty if
  /// one can. source: IANA's special-purpose address registries (RFC 6890), RFC 4291, section 2.5.5
  [[nodiscard]] std::string_view unusable() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  bool v4_ = true;
  std::array<std::uint8_t, 16> raw_{};
};

/// An address block with host bits zero.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;  ///< bits

  /// "10.0.0.0/8"; a lone address means its full length. The length is written as a number is, with
  /// no zero before it. errors: invalid_input (also set host bits)
  static Result<Prefix> parse(std::string_view text);
  [[nodiscard]] std::string string() const;  ///< always with "/length"
  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] bool overlaps(const Prefix& other) const;

  auto operator<=>(const Prefix&) const = default;
};

/// A UDP address and port, as WireGuard calls it.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  /// "192.0.2.1:51820" or "[2001:db8::1]:51820". errors: invalid_input
  static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string string() const;

  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace weir
