#pragma once

#include <string>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// All that keeps an image from being made, a line each.
struct Missing {
  std::vector<std::string> scripts;     ///< that nobody accounted for
  std::vector<std::string> secrets;     ///< that nobody accepted
  std::vector<std::string> links;       ///< interpreters, libraries and versions of symbols
  std::vector<std::string> conflicts;   ///< paths that two packages want differently
  std::vector<std::string> services{};  ///< programs of services
  /// Packages that no layer can be made of, and why. Then links and services are not known.
  std::vector<std::string> refused{};
  [[nodiscard]] bool empty() const {
    return scripts.empty() && secrets.empty() && links.empty() && conflicts.empty() &&
           services.empty() && refused.empty();
  }
};

/// A line for each, and one for each kind that says what to do.
///
/// manifest  how a person calls it
[[nodiscard]] std::vector<std::string> lines_of(const Missing& missing,
                                                const std::string& manifest);

/// errors: unauthorized, with a script or secret; invalid_input, with a conflict; not_found, with
/// links or services alone. The message says how many, the lines are `lines_of`
[[nodiscard]] Status check_complete(const Missing& missing);

}  // namespace weir::builder
