#pragma once

#include <array>
#include <cstdint>

#include "deployer/wireguard/secret_key.h"
#include "manifests/base/names.h"

/// Keys that a test tells apart at a glance: one byte, 32 times.
namespace weir::wireguard {

inline PublicKey key_of(std::uint8_t fill) {
  std::array<std::uint8_t, 32> raw{};
  raw.fill(fill);
  return PublicKey::from_raw(raw);
}

inline SecretKey secret_of(std::uint8_t fill) {
  return SecretKey(key_of(fill).raw());
}

}  // namespace weir::wireguard
