#pragma once

#include <string>

namespace weir::images {

/// Removes what writers that were killed left in a store: release folders that never got their
/// name, and unfinished blobs that nobody has touched for a day. What cannot be removed stays.
///
/// store   its folder; the caller holds its lock, so no release is being put there
void sweep_store(const std::string& store);

}  // namespace weir::images
