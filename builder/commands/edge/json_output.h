#pragma once

#include <nlohmann/json_fwd.hpp>

namespace weir::builder {

/// A command's result as JSON on stdout. In ASCII, so that no text from outside reaches the
/// controls of a terminal; bytes that are not UTF-8 are replaced.
void print_result(const nlohmann::ordered_json& result);

}  // namespace weir::builder
