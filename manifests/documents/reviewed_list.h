#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"
#include "manifests/documents/accepted_entries.h"
#include "manifests/documents/image_manifest.h"

namespace weir::manifests {

/// A package that is there for maintainer scripts alone, or that an image does without.
struct ReviewedStandIn {
  std::string package;  ///< a name, also of one that only others provide
  std::string why;
  bool operator==(const ReviewedStandIn&) const = default;
};

/// What somebody who read the scripts of a release of Debian found, for every image of that
/// release. Format: docs/reviewed-lists.md.
struct ReviewedList {
  std::string release;  ///< for people: "Debian 12 (bookworm)"
  std::vector<ReviewedStandIn> provides{};
  std::vector<AcceptedScript> accept_scripts{};
  std::vector<AcceptedSecret> accept_secrets{};
  bool operator==(const ReviewedList&) const = default;
};

/// file    how errors call it
/// errors  invalid_input, naming line and field; unknown and repeated fields are refused
[[nodiscard]] Result<ReviewedList> parse_reviewed_list(std::string_view yaml,
                                                       std::string_view file = "reviewed list");

/// As YAML that the parser reads back as an equal list.
[[nodiscard]] std::string print(const ReviewedList& list);

/// The manifest with what the lists say behind what it says itself. A package that the manifest
/// asks for is not stood in for.
[[nodiscard]] ImageManifest with_reviewed(ImageManifest manifest,
                                          const std::vector<ReviewedList>& lists);

}  // namespace weir::manifests
