#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "builder/validate/schema_validation.h"

/// What valijson complains of, in words for a person. Its own name neither the value nor the
/// demand.
namespace weir::builder {

/// "<root>", "[layers]", "[3]": as valijson writes it.
using Path = std::vector<std::string>;

struct Complaint {
  Path path;
  std::string what;
};

/// A keyword of a schema, and how valijson begins to complain of it.
struct Keyword {
  const char* name;
  std::string_view complaint;
  /// The complaint again; `demand` is the keyword's value in the schema.
  std::string (*say)(const nlohmann::json& demand, const nlohmann::json& value);
};
[[nodiscard]] std::span<const Keyword> keywords();

/// How it begins to complain of a field that is not allowed: it names the first and no other.
inline constexpr std::string_view kUnknownField = "Object contains a property";

/// Complaints that are not valijson's begin with it. One of a keyword's, or kUnknownField, says no
/// more than that such a complaint has been said again.
inline constexpr std::string_view kOurs = "weir: ";

[[nodiscard]] bool is_inside(const Path& path, const Path& folder);

/// Complaints in valijson's order, each violation once. valijson tells every failure again for each
/// value around it, and an alternative's before it says that no alternative fits.
[[nodiscard]] std::vector<Violation> violations_of(std::span<const Complaint> complaints);

}  // namespace weir::builder
