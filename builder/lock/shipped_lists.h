#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::builder {

/// A reviewed list of `examples/reviewed/`, as it is shipped: "debian-12".
[[nodiscard]] std::optional<std::string_view> shipped_list(std::string_view name);
[[nodiscard]] std::vector<std::string> shipped_lists();

}  // namespace weir::builder
