#pragma once

#include "manifests/base/names.h"

namespace weir::manifests {

/// What a release may name and a reader may be asked to hold, a blob as it is stored and a layer as
/// it unpacks: beyond this neither boots, and sizes beyond it break 32-bit readers.
inline constexpr ByteCount kLargestBlob{(1ULL << 31) - 1};

}  // namespace weir::manifests
