#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// Single-character insertions, removals, changes and swaps of neighbours that make `a` into `b`;
/// nullopt: more than `most`. Looks at no more than about 2 * `most` places for each character, and
/// at none where the lengths alone are too far apart.
[[nodiscard]] std::optional<std::size_t> edit_distance(std::string_view a, std::string_view b,
                                                       std::size_t most);

/// Up to three of `candidates` that a person may have meant: within a third of the name's length
/// and ten edits, nearest first, equal distances by name. Each once.
[[nodiscard]] std::vector<std::string> closest_names(
    std::string_view name, const std::vector<std::string_view>& candidates);

/// "; closest: a, b", or nothing.
[[nodiscard]] std::string suggestion(std::string_view name,
                                     const std::vector<std::string_view>& candidates);

}  // namespace weir
