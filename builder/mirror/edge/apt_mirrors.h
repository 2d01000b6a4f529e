#pragma once

#include <string>
#include <vector>

#include "builder/mirror/apt_sources.h"
#include "builder/mirror/suite_source.h"

namespace weir::builder {

/// Where apt's entries say that a suite is, in their order: those for the suite itself, else for
/// the one that its name continues with a "-". An entry with a Signed-By counts only where that
/// shares a key with the suite's keyring, and before those that have none.
[[nodiscard]] std::vector<std::string> apt_mirrors_of(const SuiteSource& suite,
                                                      const std::vector<AptSource>& entries);

}  // namespace weir::builder
