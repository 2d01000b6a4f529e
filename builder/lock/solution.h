#pragma once

#include <map>
#include <set>

#include "builder/lock/apt_choice.h"
#include "builder/lock/lock_update.h"
#include "builder/lock/package_pool.h"

namespace weir::builder {

/// Why a package is in the image: the nearest package that needs it, and by which relation.
struct Reason {
  Id by = 0;  ///< 0: the manifest names it
  Id relation = 0;
};

/// A whole image as libsolv's ids. Included by the solver's own sources only.
struct Solution {
  Id kernel = 0;
  std::set<Id> packages;
  std::map<Id, Reason> reasons;  ///< of each package
  AptChoice choice;
  bool as_apt = false;  ///< `packages` are those of `choice`
};

/// Chooses the packages of an image among those of the pool that may be chosen.
///
/// pool    of the manifest's architecture and stand-ins
/// manifest  one whose kernel has no name means packages alone
/// kept    whose versions are the only ones that may be chosen
/// errors  as `resolve`
[[nodiscard]] Result<Solution> solve(PackagePool& pool, const manifests::ImageManifest& manifest,
                                     const Kept& kept);

}  // namespace weir::builder
