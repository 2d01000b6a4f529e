#pragma once

#include <string>

#include "manifests/base/result.h"
#include "manifests/documents/fleet.h"

namespace weir::keys {

/// Whether `read_identity` will open a fleet's identity, as far as that can be told without asking
/// for a passphrase: with a key file it is opened, without one it is read. One that nodes cannot
/// serve (`check_served`) is refused too.
///
/// folder   at which the fleet's paths start
/// errors   not_found, io, invalid_input, unauthorized: each names the fleet's field, the file and
///          what to do
[[nodiscard]] Status check_identity(const manifests::Fleet& fleet, const std::string& folder);

}  // namespace weir::keys
