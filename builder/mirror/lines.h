#pragma once

#include <algorithm>
#include <string_view>

namespace weir::builder {

/// Calls `visit` with each line of a text, without its line feed.
template <class Visit>
void each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
}

}  // namespace weir::builder
