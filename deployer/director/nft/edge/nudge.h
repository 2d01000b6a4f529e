#pragma once

#include <cstdint>

#include "deployer/network/edge/network_namespace.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"

namespace weir::director {

/// Sends one ICMP echo request to an inner address, marked so that it leaves through one node.
/// Nobody waits for an answer: the client's WireGuard owes one to whatever it can decrypt.
Status send_nudge(const network::NetworkNamespace& where, const IpAddress& inner,
                  std::uint32_t mark);

}  // namespace weir::director
