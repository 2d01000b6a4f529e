#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// A field in which two release documents differ.
struct FieldDifference {
  std::string field;  ///< "layers[tool].blob.digest"; list items by their name where they have one
  std::string stored, rebuilt;  ///< as JSON; empty: the field is not there
  bool operator==(const FieldDifference&) const = default;
};

/// In the order of the stored document, then what only the rebuilt one has.
/// errors: invalid_input: one of them is not a JSON document
[[nodiscard]] Result<std::vector<FieldDifference>> rebuild_differences(std::string_view stored,
                                                                       std::string_view rebuilt);

}  // namespace weir::builder
