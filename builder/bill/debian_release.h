#pragma once

#include <string>

#include "manifests/documents/lock.h"

namespace weir::builder {

/// Which Debian an image is of, as its os-release has it in VERSION_ID: "12". Scanners look up its
/// advisories by that.
///
/// returns  the number of the first source whose suite is named after a release; where suites have
///          other names ("stable", an archive of one's own), base-files' own, which counts with the
///          releases; else nothing
[[nodiscard]] std::string debian_release_of(const manifests::Lock& lock);

}  // namespace weir::builder
