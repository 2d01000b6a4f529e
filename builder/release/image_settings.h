#pragma once

#include <set>
#include <string>
#include <vector>

#include "builder/layers/image_checks.h"
#include "builder/layers/system_layers.h"
#include "builder/release/build_input.h"
#include "manifests/documents/architecture.h"

namespace weir::builder {

/// A path of a document as it stands in the image; one that cannot stand there is itself.
[[nodiscard]] std::string place_in_image(const std::string& path);

/// What the last layer is made from, and what of it nobody could make.
struct ImageSettings {
  Settings settings;
  std::set<std::string> settled;    ///< folders whose owner and mode tmpfiles.d decides
  std::vector<std::string> unmade;  ///< what scripts would have made, a line each
};

/// layers   all that lie below, laid over one another in `below`
[[nodiscard]] ImageSettings image_settings(const BuildInput& input,
                                           const std::vector<LayerFacts>& layers,
                                           const Overlay& below,
                                           const manifests::Architecture& architecture);

}  // namespace weir::builder
