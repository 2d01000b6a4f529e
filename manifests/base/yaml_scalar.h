#pragma once

#include <cstdint>
#include <string_view>

namespace weir::manifests {

/// What a YAML value without quotes is.
enum class YamlScalar : std::uint8_t { text, boolean, integer, based, number };

/// Whether a plain scalar, not empty, is more than a text: `true`, 12, 0x1f (`based`), 1.5e3, .inf.
/// source: YAML 1.2.2, section 10.3.2 (core schema)
[[nodiscard]] YamlScalar kind_of_scalar(std::string_view text);

/// Whether a word without quotes is read as a text: it is neither of those, nor null.
[[nodiscard]] bool is_plain_text(std::string_view word);

}  // namespace weir::manifests
