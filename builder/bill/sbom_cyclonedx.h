#pragma once

#include <string>

#include "builder/bill/bill_of_materials.h"

namespace weir::builder {

/// CycloneDX 1.5, as JSON. source: CycloneDX 1.5, bom-1.5.schema.json
[[nodiscard]] std::string print_cyclonedx(const BillOfMaterials& bill);

}  // namespace weir::builder
