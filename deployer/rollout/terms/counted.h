#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::deployer {

/// "1 node", "2 nodes": for people.
[[nodiscard]] std::string counted(std::size_t n, std::string_view what);

}  // namespace weir::deployer
