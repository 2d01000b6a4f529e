#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/packages/script_actions.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

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

/// The scripts of one package that run in a new system, and what each would do: also what the files
/// of sysusers.d say that it applies, and without folders that are the package's files.
///
/// deb     the package's bytes
/// errors  invalid_input: it is damaged
[[nodiscard]] Result<std::vector<SurveyedScript>> survey_package(
    const manifests::LockedPackage& package, Bytes deb, const manifests::Lock& lock);

/// All packages' scripts together, held against what the lock accepts.
[[nodiscard]] ScriptSurvey join_surveys(std::vector<std::vector<SurveyedScript>> packages,
                                        const manifests::Lock& lock);

/// The entry that accepts a script. Its `why` is what the script would do, for a person to judge.
[[nodiscard]] manifests::AcceptedScript entry_for(const SurveyedScript& script);

}  // namespace weir::builder
