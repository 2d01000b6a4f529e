#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::node {

/// manifests::kModulesPath: one name a line, with '_' as the kernel shows it.
[[nodiscard]] std::vector<std::string> parse_module_names(std::string_view text);

/// manifests::kToolsPath: `package version` a line. errors: invalid_input, with the line's number
[[nodiscard]] Result<std::vector<manifests::ReleasePackage>> parse_tools(std::string_view text);

}  // namespace weir::node
