#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace weir::wireguard {

/// An allocator that wipes memory before it goes: netlink messages carry private and preshared
/// keys.
template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  explicit WipingAllocator(const WipingAllocator<U>&) {}
  T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
  void deallocate(T* memory, std::size_t n) {
    explicit_bzero(memory, n * sizeof(T));
    std::allocator<T>().deallocate(memory, n);
  }
  bool operator==(const WipingAllocator&) const = default;
};

/// Bytes that are wiped wherever the vector leaves them behind, growth included.
using SecretBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

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
