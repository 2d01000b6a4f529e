#pragma once

#include <cstdint>
#include <set>

#include "deployer/site/edge/site.h"
#include "keys/trust/verified.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

// Releases that a fleet is to run, held to whom it trusts and to what it demands.
namespace weir::deployer {

/// Digests of the releases that the fleet's pools run.
[[nodiscard]] Result<std::set<Digest>> running_releases(Site& site);

/// Whether a look at a release may leave a trace in the fleet's trust.state: orders may, plans may
/// not.
enum class Seeing : std::uint8_t { forgotten, remembered };

/// Reads a release and all about it from the fleet's store and judges it, by the fleet's trust file
/// or its trusted keys, and by what it demands others to have stated (`boot_check`, `rebuild`,
/// `own_keys_searched`, roles of the trust). Releases that the fleet's pools run already may be
/// older than the newest seen, and nothing is demanded of them. A newer version of the trust is
/// remembered, the release is not (Site::remember): its blobs may be missing.
/// errors: not_found, unauthorized, invalid_input; naming store and release
[[nodiscard]] Result<keys::Verified<manifests::Release>> read_verified_release(
    Site& site, const ReleaseName& name, Seeing seeing);

}  // namespace weir::deployer
