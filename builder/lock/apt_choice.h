#pragma once

#include <set>
#include <vector>

#include "builder/lock/package_pool.h"

namespace weir::builder {

/// What was not taken for a relation, and because of what.
struct Rejected {
  Id by = 0, relation = 0;  ///< the package that needs something, and its whole relation
  Id package = 0;
  /// A package of the image that it cannot be together with; 0: something that it needs itself
  /// cannot be had.
  Id other = 0;
};

struct AptChoice {
  std::vector<Id> packages;  ///< in the order in which they were taken, the roots first
  bool whole = true;         ///< everything that they need is among them
  std::vector<Rejected> rejected;
};

/// Follows relations from `roots` and takes packages as apt does, without going back on any:
///
/// - all roots are in; then, root by root and depth first, what is not satisfied yet by a package
///   that is in is taken: Pre-Depends, then Depends, each in its order;
/// - a package that `stays` goes before all others; else, of alternatives, the first that can be
///   had, and within one the package of that very name, then its providers: the essential, the
///   important (also "Protected"), those of higher priority, and of equals the one whose name the
///   indices mention last;
/// - only the version that PackagePool::candidate names, and another one only where no alternative
///   can do with that;
/// - a package that conflicts with one that is in, or that needs what cannot be had, is passed by.
///
/// roots    each of another name
/// stays    what an earlier lock has, as apt has what is installed
/// returns  what was taken; not `whole` where something could not be had, or where finding out took
///          more steps than real archives need
/// source   apt 2.6, pkgDepCache::MarkInstall and CompareProviders
[[nodiscard]] AptChoice choose_as_apt(const PackagePool& pool, const std::vector<Id>& roots,
                                      const std::set<Id>& stays = {});

}  // namespace weir::builder
