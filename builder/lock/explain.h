#pragma once

#include <string>

#include "builder/lock/explanation.h"
#include "builder/lock/solution.h"

namespace weir::builder {

/// Included by the solver's own sources only.
///
/// errors  invalid_input: no suite has such a package, and nothing stands in for it; the closest
///         names
[[nodiscard]] Result<Explanation> explain(const PackagePool& pool, const Solution& solution,
                                          const manifests::ImageManifest& manifest,
                                          const std::string& package);

}  // namespace weir::builder
