#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir {

/// A name a person gives: 1 to 63 of [a-z0-9.-], first and last a letter or digit. `Tag` keeps the
/// kinds apart.
template <class Tag>
class Name {
 public:
  /// errors: invalid_input
  static Result<Name> parse(std::string_view text);
  [[nodiscard]] const std::string& string() const { return text_; }
  auto operator<=>(const Name&) const = default;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

[[nodiscard]] Status check_name(std::string_view text);

template <class Tag>
Result<Name<Tag>> Name<Tag>::parse(std::string_view text) {
  TRY(check_name(text));
  return Name(std::string(text));
}

using NodeId = Name<struct NodeTag>;          ///< unique in a fleet, e.g. "green-2"
using PoolName = Name<struct PoolTag>;        ///< unique in a fleet, e.g. "blue"
using DirectorId = Name<struct DirectorTag>;  ///< unique in a fleet
using ReleaseName = Name<struct ReleaseTag>;  ///< unique in a store, e.g. "gateway-6.12"
using FleetName = Name<struct FleetTag>;

/// A WireGuard public key: 32 raw bytes, shown as 44 characters of base64.
class PublicKey {
 public:
  /// errors: invalid_input
  static Result<PublicKey> parse(std::string_view base64);
  static PublicKey from_raw(const std::array<std::uint8_t, 32>& raw) { return PublicKey(raw); }
  [[nodiscard]] std::string string() const { return base64_of(raw_); }
  [[nodiscard]] const std::array<std::uint8_t, 32>& raw() const { return raw_; }
  /// 32 zero bytes, with which WireGuard says "no key".
  [[nodiscard]] bool is_zero() const { return raw_ == std::array<std::uint8_t, 32>{}; }
  auto operator<=>(const PublicKey&) const = default;

 private:
  explicit PublicKey(const std::array<std::uint8_t, 32>& raw) : raw_(raw) {}
  std::array<std::uint8_t, 32> raw_;
};

struct ByteCount {
  std::uint64_t value = 0;
  auto operator<=>(const ByteCount&) const = default;
};

/// "512", "512 KiB", "512 MiB", "2 GiB" (the space is optional). errors: invalid_input
[[nodiscard]] Result<ByteCount> parse_byte_count(std::string_view text);
/// For people: "29.8 MiB".
[[nodiscard]] std::string print(ByteCount bytes);

/// Parts of a thousand, 0 to 1000.
struct Permille {
  std::uint16_t value = 0;
  auto operator<=>(const Permille&) const = default;
};

}  // namespace weir
