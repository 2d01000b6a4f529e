#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "builder/validate/schema_validation.h"

namespace weir::builder {

/// Of a value that is none of a schema's alternatives (`oneOf`, `anyOf`), valijson tells what each
/// of them holds against it. Here that becomes one line for each mistake: what is wrong inside,
/// where one alternative got that far, and what all of them miss; else what the value may be.
///
/// schema   the whole, with its definitions
[[nodiscard]] std::vector<Violation> one_for_each_choice(const std::vector<Violation>& violations,
                                                         const nlohmann::json& schema);

}  // namespace weir::builder
