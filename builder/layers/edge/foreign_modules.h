#pragma once

#include <vector>

#include "builder/kernel/module_selection.h"
#include "builder/layers/layer_facts.h"
#include "images/store/store.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// The modules of one layer with their content.
///
/// layer    not the kernel's, and its blob is in the store; one without modules is not opened
/// errors   as `read_layer_content`; integrity: the layer does not hold what is known of it
[[nodiscard]] Result<std::vector<ForeignModule>> read_foreign_modules(const images::Store& store,
                                                                      const LayerFacts& layer);

}  // namespace weir::builder
