#pragma once

#include <set>

#include "deployer/orders/edge/site.h"
#include "images/store/edge/store.h"
#include "keys/trust/verified.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"
#include "manifests/documents/trust.h"

namespace weir::deployer {

/// Digests of the releases that the fleet's pools run.
[[nodiscard]] Result<std::set<Digest>> running_releases(Site& site);

/// Holds what others stated about a release to what the fleet document demands (`boot_check`,
/// `rebuild`) and to the roles of its trust, and what the release says of its own search for the
/// fleet's keys (`own_keys_searched`). What runs already is not asked for any of it: going back
/// needs nobody's signature.
///
/// trust   null: the fleet names trusted keys
/// errors  unauthorized, saying who is missing; io
[[nodiscard]] Status check_demands(Site& site, const images::Store& store,
                                   const keys::Verified<manifests::Release>& release,
                                   const manifests::Trust* trust);

}  // namespace weir::deployer
