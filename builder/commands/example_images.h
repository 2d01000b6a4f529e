#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::builder {

/// An image manifest of `examples/`, as it is shipped: "gateway-6.12".
[[nodiscard]] std::optional<std::string_view> example_image(std::string_view name);
[[nodiscard]] std::vector<std::string> example_images();

}  // namespace weir::builder
