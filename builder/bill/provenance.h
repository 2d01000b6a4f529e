#pragma once

#include <vector>

#include "builder/bill/bill_of_materials.h"
#include "manifests/documents/provenance.h"

namespace weir::builder {

/// How the release came to be.
///
/// lock        as for bill_of_materials
/// byproducts  the SBOMs
[[nodiscard]] manifests::Provenance describe_provenance(
    const manifests::Release& release, const manifests::Lock& lock, const BillOfMaterials& bill,
    std::vector<manifests::Artifact> byproducts);

}  // namespace weir::builder
