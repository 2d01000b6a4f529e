#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "manifests/base/secret_bytes.h"

namespace weir::wireguard {

using weir::SecretBytes;
using weir::WipingAllocator;

/// A private or preshared key, 32 raw bytes, wiped when it goes. Not locked: the process that holds
/// many locks all its memory (mlockall), as weir-node does.
class SecretKey {
 public:
  explicit SecretKey(const std::array<std::uint8_t, 32>& raw) : raw_(raw) {}
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey() { explicit_bzero(raw_.data(), raw_.size()); }

  [[nodiscard]] const std::array<std::uint8_t, 32>& raw() const { return raw_; }
  void assign(std::span<const std::uint8_t, 32> bytes) {
    std::memcpy(raw_.data(), bytes.data(), raw_.size());
  }
  /// All zeros is how the kernel says "none".
  [[nodiscard]] bool is_zero() const {
    std::uint8_t any = 0;
    for (const std::uint8_t byte : raw_) any |= byte;
    return any == 0;
  }
  /// In constant time.
  bool operator==(const SecretKey& other) const {
    std::uint8_t differs = 0;
    for (std::size_t i = 0; i < raw_.size(); ++i) differs |= raw_[i] ^ other.raw_[i];
    return differs == 0;
  }

 private:
  std::array<std::uint8_t, 32> raw_;
};

}  // namespace weir::wireguard
