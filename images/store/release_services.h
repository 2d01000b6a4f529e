#pragma once

#include <vector>

#include "images/store/store.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"
#include "manifests/messages/service_settings.h"

namespace weir::images {

/// The services of a release's image, as weir-init will read them; none where it has none.
/// errors: as `read_layer_content`; integrity: they cannot be read; each names the layer
[[nodiscard]] Result<std::vector<manifests::ServiceSettings>> read_services(
    const Store& store, const manifests::Release& release);

}  // namespace weir::images
