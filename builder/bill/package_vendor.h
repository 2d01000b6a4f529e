#pragma once

#include <string>

#include "manifests/documents/lock.h"

namespace weir::builder {

/// Whose a package of the lock is, as its source has it; `manifests::kDebian` of most.
[[nodiscard]] std::string vendor_of(const manifests::Lock& lock,
                                    const manifests::LockedPackage& package);

/// Its package URL; the codename is said of Debian's only, whose releases it names.
[[nodiscard]] std::string package_url_of(const manifests::Lock& lock,
                                         const manifests::LockedPackage& package);

}  // namespace weir::builder
