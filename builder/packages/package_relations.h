#pragma once

#include <map>
#include <string>
#include <vector>

#include "builder/packages/package_declarations.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// Which packages of an image need which others of it.
///
/// packages   the lock's
/// declared   a package that is not there counts as saying nothing
/// returns    for every package the names of those it needs, sorted. Of alternatives the first that
///            is there counts; a package of that name comes before those that provide it. What
///            nothing in the image satisfies, such as what Weir stands in for, is left out
/// errors     invalid_input, naming the package: relations that cannot be read
/// source     Debian policy 7.1 and 7.5
[[nodiscard]] Result<std::map<std::string, std::vector<std::string>>> needs_among(
    const std::vector<manifests::LockedPackage>& packages, const Declarations& declared);

}  // namespace weir::builder
