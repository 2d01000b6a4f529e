#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace weir::testing {

/// Random numbers for one property: WEIR_SEED where it is set, else fresh ones. The seed is
/// printed, so that a failure can be repeated with WEIR_SEED=....
inline std::mt19937_64 seeded(const char* property) {
  const char* given = std::getenv("WEIR_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("%s: WEIR_SEED=%llu\n", property, static_cast<unsigned long long>(seed));
  return std::mt19937_64(seed);
}

/// A number from 0 to `n` - 1.
inline std::uint64_t below(std::mt19937_64& random, std::uint64_t n) {
  return random() % n;
}

}  // namespace weir::testing
