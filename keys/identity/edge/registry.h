#pragma once

#include <string>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/peers.h"

namespace weir::keys {

/// The clients of a peers document, and whether each preshared key that one names can be used: the
/// file is there, only its owner may read it, and it holds a key that is not all zeros.
///
/// path     of the document; the key files' names start at its folder
/// errors   as `parse_peers`, with line and field: also not_found, unauthorized
[[nodiscard]] Result<std::vector<manifests::Peer>> read_peers(const std::string& path);

/// What a fleet's identity says its public keys are, of all its epochs; none where there is no file
/// yet. Not proved: nothing is opened. errors: invalid_input: it is no identity; io. Each names the
/// path
[[nodiscard]] Result<std::vector<PublicKey>> read_gateway_keys(const std::string& path);

/// The clients of a fleet, held against it too (`check_registry`), and against the public keys in
/// its identity where that file is there.
///
/// folder   at which the fleet's paths start
[[nodiscard]] Result<std::vector<manifests::Peer>> read_registry(const manifests::Fleet& fleet,
                                                                 const std::string& folder);

}  // namespace weir::keys
