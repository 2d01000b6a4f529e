#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "manifests/base/digest.h"

/// Numbers in bytes, least significant first.
namespace weir::images {

/// The caller made sure that the bytes are there.
template <std::unsigned_integral T>
[[nodiscard]] T get_little(Bytes bytes, std::size_t at) {
  T out = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) out |= static_cast<T>(T{bytes[at + i]} << (8 * i));
  return out;
}

template <std::unsigned_integral T>
void put_little(std::vector<std::uint8_t>& bytes, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
  return (value + to - 1) / to * to;
}

}  // namespace weir::images
