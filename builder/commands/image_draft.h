#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// What has to be known to write a first image manifest.
struct ImageAnswers {
  std::string name;                   ///< the release's
  std::vector<std::string> packages;  ///< besides those of the example
};

/// The packages that are not the example's. errors: invalid_input: the example is no manifest
[[nodiscard]] Result<std::vector<std::string>> packages_beyond(std::string_view example,
                                                               const ImageAnswers& answers);

/// An example's text, with its comments, under another name and with more packages; the schema that
/// it names is the installed one. With more packages it names the list of reviewed scripts that is
/// shipped for its release of Debian, where there is one and the example names none.
///
/// errors: invalid_input: what parse_image_manifest would refuse
[[nodiscard]] Result<std::string> draft_image(std::string_view example,
                                              const ImageAnswers& answers);

}  // namespace weir::builder
