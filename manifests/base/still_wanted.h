#pragma once

#include <functional>

namespace weir {

/// Asked by long work, now and then, whether anybody still waits for it; empty: somebody always
/// does.
using StillWanted = std::function<bool()>;

}  // namespace weir
