#pragma once

#include <string>
#include <string_view>

namespace weir::builder {

/// A Packages file with those fields alone that Weir asks libsolv about: names, versions, sizes and
/// relations. An archive may write anything into others.
///
/// index   as `PackageIndex::text` has it
[[nodiscard]] std::string solver_text(std::string_view index);

}  // namespace weir::builder
