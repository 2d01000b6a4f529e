#pragma once

#include <chrono>
#include <string>

#include "builder/lock/edge/lock_index.h"
#include "builder/mirror/edge/cache.h"
#include "builder/release/build_plan.h"
#include "builder/release/edge/build_input.h"
#include "images/store/store.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// What building will do, and how its lock stands to the signed indices.
struct PlannedBuild {
  BuildPlan layers;
  IndexVerdict index;
  std::chrono::nanoseconds planning{};  ///< how long it took to ask
};

/// Asks lock index, cache and store, and decides. Nothing is changed by asking; folders may be
/// missing.
/// errors: as `hold_to_index` and `fetch_modules`; invalid_input: the image has services, and its
///         lock pins node programs that know of none; io
[[nodiscard]] Result<PlannedBuild> plan_build(const BuildInput& input, const Cache& cache,
                                              const std::string& store_path, IndexDemand demand);

/// The layers' part of it.
/// store   absent: nothing is taken for made
[[nodiscard]] Result<BuildPlan> plan_layers_of(const BuildInput& input, const Cache& cache,
                                               const images::Store* store);

}  // namespace weir::builder
