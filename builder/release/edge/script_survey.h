#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/lock/locked_image.h"
#include "builder/mirror/edge/cache.h"
#include "builder/mirror/edge/mirror.h"
#include "builder/mirror/edge/progress.h"
#include "builder/packages/script_actions.h"
#include "manifests/base/result.h"

namespace weir::builder {

enum class ScriptState : std::uint8_t {
  accepted,
  changed,  ///< somebody accepted an earlier text of it
  open,     ///< nobody did
};

/// A maintainer script of a lock's package.
struct SurveyedScript {
  std::string package, version, name;  ///< "postinst"
  Digest digest;                       ///< its `script_digest`
  ScriptState state{};
  std::string text;
  ScriptActions actions{};
};

struct ScriptSurvey {
  std::vector<SurveyedScript> scripts;            ///< in the lock's order
  std::vector<manifests::AcceptedScript> unused;  ///< accepted, of a package that has none such
};

/// Reads the scripts of all packages of a lock, and of packages that apply files of sysusers.d
/// those files; nothing is run. What the cache lacks is fetched.
///
/// request    where mirrors are, if the cache lacks a package
/// errors     as `each_package`; invalid_input: a package is damaged
[[nodiscard]] Result<ScriptSurvey> survey_scripts(const LockedImage& image, const Cache& cache,
                                                  const MirrorRequest& request, Progress& progress);

/// The entry that accepts a script. Its `why` is what the script would do, for a person to judge.
[[nodiscard]] manifests::AcceptedScript entry_for(const SurveyedScript& script);

}  // namespace weir::builder
