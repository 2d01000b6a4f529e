#pragma once

#include <string>

#include "builder/lock/explanation.h"
#include "builder/lock/solution.h"

namespace weir::builder {

/// Included by the solver's own sources only.
[[nodiscard]] Explanation explain(const PackagePool& pool, const Solution& solution,
                                  const manifests::ImageManifest& manifest,
                                  const std::string& package);

}  // namespace weir::builder
