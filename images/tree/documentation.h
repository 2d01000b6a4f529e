#pragma once

#include "images/tree/image_path.h"

namespace weir::images {

/// Whether a path is a manual, documentation or a translation, which images leave out unless asked
/// for. Copyright files, and links between the folders that hold them, are not.
[[nodiscard]] bool is_documentation(const ImagePath& path);

}  // namespace weir::images
