#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace weir {

/// An allocator that wipes memory before it goes.
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

/// Bytes that are wiped wherever the vector leaves them behind, growth included: netlink messages
/// and tools' outputs carry private and preshared keys.
using SecretBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

}  // namespace weir
