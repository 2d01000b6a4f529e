#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir {

using Bytes = std::span<const std::uint8_t>;

[[nodiscard]] Bytes as_bytes(std::string_view text);

/// A SHA-256 digest. There is no empty one: it comes from hashing or from text that was checked.
class Digest {
 public:
  /// Accepts "sha256:" and 64 lower-case hex digits, or the 64 digits alone (as Debian's indices
  /// write them). errors: invalid_input
  static Result<Digest> parse(std::string_view text);
  static Digest of(Bytes bytes);
  static Digest from_raw(const std::array<std::uint8_t, 32>& raw) { return Digest(raw); }

  [[nodiscard]] std::string hex() const;     ///< 64 lower-case digits
  [[nodiscard]] std::string string() const;  ///< "sha256:" + hex, as OCI writes it
  [[nodiscard]] const std::array<std::uint8_t, 32>& raw() const { return raw_; }

  auto operator<=>(const Digest&) const = default;

 private:
  explicit Digest(const std::array<std::uint8_t, 32>& raw) : raw_(raw) {}
  std::array<std::uint8_t, 32> raw_;
};

/// SHA-256 of a stream.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(Bytes bytes);
  [[nodiscard]] Digest finish() &&;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] std::string hex_of(Bytes bytes);
[[nodiscard]] Result<std::string> parse_hex(std::string_view hex);  ///< raw bytes, any even length

/// Base64 with the standard alphabet and padding (RFC 4648, section 4), strict: no white space, no
/// missing padding, unused bits zero.
[[nodiscard]] std::string base64_of(Bytes bytes);
[[nodiscard]] Result<std::string> parse_base64(std::string_view text);

}  // namespace weir
