#pragma once

#include <vector>

#include "builder/package_facts.h"
#include "images/edge/store.h"
#include "manifests/result.h"

namespace weir::builder {

/// Holds kernel modules that other packages or the manifest's files bring against the kernel and
/// its own modules, as if they were its own (`check_binding`). Where there are none, which is the
/// rule, nothing is opened.
///
/// layers   all of the image, whose blobs the store has
/// errors   integrity: one does not fit, or is there beside the kernel's own of that name; each
///          names layer, module, and symbol or key
[[nodiscard]] Status check_foreign_modules(const images::Store& store,
                                           const std::vector<LayerFacts>& layers);

}  // namespace weir::builder
