#pragma once

#include "builder/lock/locked_image.h"
#include "builder/mirror/edge/cache.h"
#include "builder/mirror/edge/mirror.h"
#include "builder/mirror/edge/progress.h"
#include "builder/release/script_survey.h"

namespace weir::builder {

/// Reads the scripts of all packages of a lock, and of packages that apply files of sysusers.d
/// those files; nothing is run. What the cache lacks is fetched.
///
/// request    where mirrors are, if the cache lacks a package
/// errors     as `each_package`; invalid_input: a package is damaged
[[nodiscard]] Result<ScriptSurvey> survey_scripts(const LockedImage& image, const Cache& cache,
                                                  const MirrorRequest& request, Progress& progress);

}  // namespace weir::builder
