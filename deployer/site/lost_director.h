#pragma once

#include <memory>

#include "deployer/director/director.h"

namespace weir::deployer {

/// Stands for a director whose network namespace is gone, and with it all that steered: whatever it
/// is asked or told fails with `why`, but for its removal, which has happened.
[[nodiscard]] std::unique_ptr<director::Director> make_lost_director(Error why);

}  // namespace weir::deployer
