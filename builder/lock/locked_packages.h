#pragma once

#include <vector>

#include "builder/lock/solution.h"
#include "builder/mirror/package_index.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// A solution as a lock has it, by name. Included by the solver's own sources only.
///
/// indices   where one package stands in several, the earliest is its suite
/// errors    bug: a package that nothing asks for
[[nodiscard]] Result<std::vector<manifests::LockedPackage>> locked_packages(
    const PackagePool& pool, const Solution& solution, const std::vector<PackageIndex>& indices);

}  // namespace weir::builder
