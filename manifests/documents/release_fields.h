#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/json_reader.h"
#include "manifests/documents/release.h"

// What a release says of its kernel, modules and blobs, as fields of whatever document says it. A
// heavy header, as json_reader.h.
namespace weir::manifests {

[[nodiscard]] nlohmann::ordered_json to_json(const Blob& blob);
[[nodiscard]] nlohmann::ordered_json to_json(const ReleaseKernel& kernel);
[[nodiscard]] nlohmann::ordered_json to_json(const ReleaseModule& module);

// errors of all: invalid_input, naming the field. What else `fields` has stays unread.

/// A line that is not empty.
[[nodiscard]] Result<std::string> filled(JsonFields& fields, std::string_view key);
[[nodiscard]] Result<std::vector<std::string>> strings(JsonFields& fields, std::string_view key);
[[nodiscard]] Result<Blob> read_blob(JsonFields& parent, std::string_view key);
[[nodiscard]] Result<ReleaseKernel> read_release_kernel(JsonFields& fields);
[[nodiscard]] Result<ReleaseModule> read_release_module(JsonFields& fields);

}  // namespace weir::manifests
