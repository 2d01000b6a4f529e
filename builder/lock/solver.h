#pragma once

#include <string>
#include <vector>

#include "builder/lock/lock_update.h"
#include "builder/mirror/package_index.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// The packages of an image.
struct Resolution {
  std::string kernel;                              ///< the one that the kernel pin chose
  std::vector<manifests::LockedPackage> packages;  ///< by name
};

/// Chooses a version of every package that the manifest asks for and that those need.
///
/// manifest   `provides` count as installed: where the indices have a package of that name, at its
///            newest version; Recommends are not followed
/// indices    in the manifest's order; of two equal packages the earlier index counts. An index
///            that is not automatic serves only pins and dependencies that nothing else satisfies
/// kept       packages that may be in the image in no other version than this; the rest moves
/// returns    the same choice for the same input; a wildcard that matches several kernels means the
///            newest that is neither unsigned nor debugging symbols
/// errors     invalid_input, naming the field, and the closest names or versions: a package,
///            version or kernel that does not exist, a constraint on a package that is not in
///            the image;
///            not_found: what cannot be satisfied, as one sentence; kept packages that no index
///            has any more; integrity: an index has a kept version with another digest
[[nodiscard]] Result<Resolution> resolve(const manifests::ImageManifest& manifest,
                                         const std::vector<PackageIndex>& indices,
                                         const Kept& kept = {});

}  // namespace weir::builder
