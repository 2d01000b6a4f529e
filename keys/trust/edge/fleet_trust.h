#pragma once

#include <string>

#include "keys/trust/judge.h"
#include "manifests/base/result.h"
#include "manifests/documents/fleet.h"

// Whom a fleet's document names. `folder` is where its paths start; errors name document, line,
// field and file, and what to do.
namespace weir::keys {

/// Who is believed: its trust file, or its trusted keys. errors: not_found, invalid_input, io
[[nodiscard]] Result<Authority> read_fleet_authority(const manifests::Fleet& fleet,
                                                     const std::string& folder);

/// What it demands of releases. errors: the same, of who is to have stated it
[[nodiscard]] Result<TrustDemands> read_fleet_demands(const manifests::Fleet& fleet,
                                                      const std::string& folder);

}  // namespace weir::keys
