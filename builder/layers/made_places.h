#pragma once

#include <string>
#include <vector>

#include "images/tree/file_tree.h"

namespace weir::builder {

/// What Weir makes of an image's own files where a script would have: of tmpfiles.d, alternatives,
/// certificates, the loader's cache.
struct MadePlaces {
  struct Made {
    images::ImagePath path;
    images::Node node;
  };
  std::vector<Made> made;             ///< by path; folders that stand otherwise are given anew
  std::vector<std::string> unmade{};  ///< a line each: what is not made, and why
};

}  // namespace weir::builder
