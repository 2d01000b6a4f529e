#pragma once

#include "builder/mirror/edge/cache.h"
#include "builder/release/build_input.h"
#include "images/store/store.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// What a stored release was made from, found by digest: its lock in the store, the lock's manifest
/// there too, and weir-init, weir-node and kernel modules from files, which are brought into the
/// cache from the release's own layers where the cache lacks them.
///
/// errors   not_found: the store does not have the lock or the manifest (releases of older builders
///          do not bring them); integrity: a blob is damaged, or the lock is of another manifest
[[nodiscard]] Result<BuildInput> read_release_input(const images::Store& store,
                                                    const manifests::Release& release,
                                                    const Cache& cache);

}  // namespace weir::builder
