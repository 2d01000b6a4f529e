#pragma once

#include <string>

#include "builder/diff/release_diff.h"

namespace weir::builder {

enum class Listing : std::uint8_t { summary, everything };

/// For a terminal. `summary` counts the files of each layer, `everything` names each.
[[nodiscard]] std::string print_text(const ReleaseDiff& diff, Listing files);
/// For machines: docs/diff.md.
[[nodiscard]] std::string print_json(const ReleaseDiff& diff);
/// One page that needs nothing else: no script, no font, no address to fetch.
[[nodiscard]] std::string print_html(const ReleaseDiff& diff);

}  // namespace weir::builder
