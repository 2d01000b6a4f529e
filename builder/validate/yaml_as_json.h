#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "manifests/base/yaml_document.h"

namespace weir::builder {

/// A YAML document as the JSON that a schema judges. What a plain scalar is follows the core schema
/// of YAML 1.2 (chapter 10.3.2), as editors do: `yes` and `2026-11-22` are texts.
[[nodiscard]] nlohmann::json yaml_as_json(const manifests::YamlNode& node);

/// The line on which a person finds the value of a JSON pointer: a mapping's value at its key.
/// What is not there has the line of what should hold it.
[[nodiscard]] int line_of(const manifests::YamlNode& root, std::string_view pointer);

}  // namespace weir::builder
