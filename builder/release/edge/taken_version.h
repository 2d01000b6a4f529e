#pragma once

#include "images/store/store.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// A version says one thing: whoever saw a release of this name, channel and version takes no other
/// document for it. So no other is signed over it by accident.
///
/// store     may hold a release of this name; one that cannot be read, or states no version, is no
///           obstacle
/// document  of `release`, as it would be signed
/// errors    busy: the store has a release of the same name, channel and version with other bytes
[[nodiscard]] Status check_version_is_free(const images::Store& store,
                                           const manifests::Release& release,
                                           const Digest& document);

}  // namespace weir::builder
