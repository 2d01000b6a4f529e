#include "deployer/rollout/terms/counted.h"

namespace weir::deployer {

std::string counted(std::size_t n, std::string_view what) {
  return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : "s");
}

}  // namespace weir::deployer
