#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::builder {

/// Up to three kernels, or their headers, that somebody may have meant who wrote a name or pattern
/// that fits none: of the same series ("6.1") before others, of the same flavour before others, for
/// this architecture, the newest first.
///
/// kind     what they are: "linux-image-", "linux-headers-"
/// returns  "; the suites have a, b, c", or nothing
[[nodiscard]] std::string kernel_hint(
    std::string_view written, std::string_view kind, std::string_view architecture,
    const std::vector<std::string_view>& names,
    const std::function<bool(std::string_view, std::string_view)>& newer);

}  // namespace weir::builder
