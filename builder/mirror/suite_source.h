#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// One suite of one source: what is asked for, who may sign it, and where it may be.
struct SuiteSource {
  std::string label;  ///< what documents call it: "bookworm", "frr:stable"
  std::string suite;  ///< what its archive calls it: "bookworm"; a flat one ends with "/"
  std::vector<std::string> components{};  ///< none of a flat one
  std::vector<std::string> keyrings{};    ///< absolute paths; whoever is in one of them may sign
  std::string key_block{};                ///< the keys themselves, where no file has them
  std::string vendor{};                   ///< whose packages, as the manifest says; or nothing
  std::vector<std::string> uris{};        ///< of the file of apt's that names it, in its order
};

/// Whose packages a suite has, as `LockedSource::vendor`: what the manifest says; else Debian's,
/// but of a source with a name that no `Origin` of Debian's marks, those of that name.
[[nodiscard]] std::string vendor_of(const SuiteSource& source, std::string_view origin);

/// Whether what an option names is there. errors: invalid_input, with the suites that are
[[nodiscard]] Status check_names_suite(std::string_view option, std::string_view label,
                                       const std::vector<SuiteSource>& sources);

}  // namespace weir::builder
