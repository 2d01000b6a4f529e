#pragma once

#include <string_view>

#include "images/tree/image_path.h"

namespace weir::test {

/// `text` has to be a path.
inline images::ImagePath at(std::string_view text) {
  return *images::ImagePath::parse(text);
}

}  // namespace weir::test
