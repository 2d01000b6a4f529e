#pragma once

#include <string>
#include <vector>

#include "manifests/base/result.h"
#include "manifests/documents/reviewed_list.h"

namespace weir::builder {

/// The lists that a manifest names in `reviewed`: one that Weir ships by its name, else a file
/// beside the manifest. What has a slash or ends in .yaml is a file.
/// errors: not_found, naming what is shipped; as `parse_reviewed_list`
[[nodiscard]] Result<std::vector<manifests::ReviewedList>> read_reviewed_lists(
    const manifests::ImageManifest& manifest, const std::string& manifest_path);

}  // namespace weir::builder
