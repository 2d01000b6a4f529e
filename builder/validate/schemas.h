#pragma once

#include <optional>
#include <string_view>

namespace weir::builder {

/// The text of docs/schemas/NAME.schema.json, as it was when this program was built.
[[nodiscard]] std::optional<std::string_view> schema_text(std::string_view name);

}  // namespace weir::builder
