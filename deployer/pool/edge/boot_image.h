#pragma once

#include "deployer/pool/edge/machine.h"
#include "images/store/edge/store.h"
#include "manifests/documents/release.h"

namespace weir::pool {

/// Reads a release's kernel and layers from the store into sealed memory. Every blob is hashed on
/// the way, and nothing is sealed or returned before the last digest matched: what boots is what
/// was signed.
///
/// release  from a verified document; this function checks blobs, not signatures
/// errors   integrity: a blob differs from the release, naming it; not_found; exhausted; io
[[nodiscard]] Result<BootImage> make_boot_image(const manifests::Release& release,
                                                const images::Store& store);

}  // namespace weir::pool
