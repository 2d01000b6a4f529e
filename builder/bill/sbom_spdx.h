#pragma once

#include <string>

#include "builder/bill/bill_of_materials.h"

namespace weir::builder {

/// SPDX 2.3, as JSON. source: SPDX specification 2.3, clauses 6, 7 and 11
[[nodiscard]] std::string print_spdx(const BillOfMaterials& bill);

}  // namespace weir::builder
