#pragma once

#include <cstddef>
#include <string>

#include "manifests/base/result.h"

namespace weir::node {

/// Makes again in `to` what lies in a folder: folders, files and links, with owner and mode. What
/// is there in `to` already stays.
///
/// from      a folder's descriptor; it may lie behind a mount
/// returns   how many were made
/// errors    io: names the path; what was made before stays
[[nodiscard]] Result<std::size_t> carry_over(int from, const std::string& to);

}  // namespace weir::node
