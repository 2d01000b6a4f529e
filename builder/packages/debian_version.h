#pragma once

#include <compare>
#include <string>

namespace weir::builder {

/// Which of two Debian versions is newer, as dpkg orders them: epoch, version, revision.
/// source: deb-version(7)
[[nodiscard]] std::strong_ordering compare_versions(const std::string& a, const std::string& b);

}  // namespace weir::builder
