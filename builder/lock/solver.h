#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/lock/explanation.h"
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
  std::vector<Explanation> explanations{};         ///< of those that were to be explained
  /// What its DKMS packages are compiled with (builder/lock/module_build.h).
  std::optional<manifests::LockedModuleBuild> module_build{};
};

/// Chooses a version of every package that the manifest asks for and that those need.
///
/// manifest   `provides` count as installed: where the indices have a package of that name, at its
///            newest version; Recommends are not followed
/// indices    in the manifest's order; of two equal packages the earlier index counts. An index
///            that is not automatic serves only pins and dependencies that nothing else satisfies
/// kept       packages that may be in the image in no other version than this; the rest moves
/// explained  packages whose choice is to be explained
/// returns    the same choice for the same input, and the one that apt makes where nothing is
///            installed (builder/lock/apt_choice.h); where apt's way ends at a conflict, another
///            one, near to it. Of alternatives a `kept` package comes first. The kernel as
///            `choose_kernel` says
/// errors     invalid_input, naming the field, and the closest names or versions: a package,
///            version or kernel that does not exist or cannot boot the image, a constraint on a
///            package that is not in the image; not_found: what cannot be satisfied, as one
///            sentence; kept packages that no index has any more; integrity: an index has a kept
///            version with another digest
[[nodiscard]] Result<Resolution> resolve(const manifests::ImageManifest& manifest,
                                         const std::vector<PackageIndex>& indices,
                                         const Kept& kept = {},
                                         const std::vector<std::string>& explained = {});

}  // namespace weir::builder
