#pragma once

#include <random>

namespace weir::deployer {

/// True `per_mille` times in a thousand.
struct Chance {
  std::mt19937& random;
  unsigned per_mille;
  bool operator()() const { return random() % 1000 < per_mille; }
};

}  // namespace weir::deployer
