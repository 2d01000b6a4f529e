#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::node {

// Own and small: PID 1 is linked statically and from as little as it can be.

/// All that a file holds; nothing where it cannot be opened.
[[nodiscard]] std::optional<std::string> text_of(const std::string& path);

/// Makes `path` hold `text`, for its owner only, and never a part of it. False: it stays as it is,
/// and errno says why.
[[nodiscard]] bool put_text(const std::string& path, std::string_view text);

}  // namespace weir::node
