#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/result.h"

/// Reads YAML documents strictly: no anchors, aliases or tags, no unknown or repeated keys, bounded
/// depth and size. Included by .cpp files only (yaml-cpp is heavy).
namespace weir::manifests::yaml {

/// A value and where it stands: "kernel.version", "files[2].mode".
struct Field {
  YAML::Node node;
  std::string name;

  /// "line 12: files[2].mode: `problem`"
  [[nodiscard]] tl::unexpected<Error> refuse(const std::string& problem) const;
  /// Puts this field's place before an error of the value's own parser.
  [[nodiscard]] tl::unexpected<Error> refuse(Error error) const;
};

/// The fields of one mapping.
class Map {
 public:
  /// Refuses keys that are not in `known`, repeated keys, and what is not a mapping.
  static Result<Map> of(const Field& field, const std::vector<std::string_view>& known);
  /// Any keys, in document order.
  static Result<Map> of(const Field& field);

  [[nodiscard]] const Field* find(std::string_view key) const;
  [[nodiscard]] Result<Field> need(std::string_view key) const;
  [[nodiscard]] const std::vector<std::pair<std::string, Field>>& entries() const {
    return entries_;
  }

 private:
  Field self_;
  std::vector<std::pair<std::string, Field>> entries_;
};

/// The document's root, named "". errors: invalid_input with a line; exhausted: over 1 MiB, 20
/// levels
[[nodiscard]] Result<Field> parse(std::string_view text);

[[nodiscard]] Result<std::string> text(const Field& field);  ///< a scalar that is not empty
[[nodiscard]] Result<bool> boolean(const Field& field);      ///< "true" or "false"
[[nodiscard]] Result<std::uint64_t> number(const Field& field, std::uint64_t max);
[[nodiscard]] Result<std::vector<Field>> list(const Field& field);
[[nodiscard]] Result<std::vector<std::string>> texts(const Field& field);  ///< without repetitions

}  // namespace weir::manifests::yaml
