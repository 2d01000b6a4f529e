#pragma once

#include <string_view>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/peers.h"

namespace weir::manifests {

/// Holds the clients against the fleet they are of: every allowed IP lies in one of the fleet's
/// `clients`, none covers the probe's own address, and nobody has one of the gateways' public keys.
///
/// file     how errors call the peers: "peers.jsonl:7: allowed_ips: ..."
/// gateways the gateways' public keys, as far as they are known
/// errors   invalid_input, with line and field
[[nodiscard]] Status check_registry(const Fleet& fleet, const std::vector<Peer>& peers,
                                    std::string_view file, const std::vector<PublicKey>& gateways);

}  // namespace weir::manifests
