#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "builder/layers/image_checks.h"
#include "builder/layers/made_places.h"
#include "builder/packages/alternative.h"

namespace weir::builder {

/// The links of `update-alternatives` in automatic mode: of the choices for a name the one of the
/// highest priority, of equal ones the first; its followers, where what they lead to is there. A
/// link takes no file's place.
///
/// choices   as the packages' scripts offer them, in the order of the layers
/// below     all that stands in the image before
/// decided   paths that somebody else decides
/// epoch     time of the links, Unix seconds
/// source    update-alternatives(1), and what update-alternatives 1.21.22 makes
[[nodiscard]] MadePlaces alternative_links(const std::vector<Alternative>& choices,
                                           const Overlay& below,
                                           const std::set<std::string>& decided,
                                           std::int64_t epoch);

}  // namespace weir::builder
