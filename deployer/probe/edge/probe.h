#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "deployer/network/edge/network_namespace.h"
#include "keys/signing/secret.h"
#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"

namespace weir::probe {

struct ProbeTarget {
  Endpoint gateway;        ///< VIP and port
  std::uint32_t mark = 0;  ///< fwmark that routes to the node under test
  PublicKey gateway_key;
  IpAddress inner_source;  ///< the probe peer's own address
  IpAddress inner_target;  ///< answers ICMP echo
};

struct ProbeResult {
  std::chrono::microseconds handshake{};  ///< initiation to response
  std::chrono::microseconds echo{};       ///< first inner round trip
};

/// Acts as a WireGuard client for one handshake and a few inner pings through one node.
///
/// private_key    the probe peer's, 32 bytes; the node must know the peer
/// preshared_key  32 bytes, where the peer has one
/// timeout        for the whole; initiations go out every second, pings four times a second
/// errors         timeout, saying which half was missing: handshake or data; integrity: an answer
/// that
///                does not decrypt, which a wrong preshared key shows as; invalid_input: source and
///                target of two IP versions, or a key of wrong size; unauthorized: no right to mark
/// source         the WireGuard white paper, section 5.4
[[nodiscard]] Result<ProbeResult> run_probe(const network::NetworkNamespace& where,
                                            const ProbeTarget& target,
                                            const keys::Secret& private_key,
                                            const std::optional<keys::Secret>& preshared_key,
                                            std::chrono::milliseconds timeout);

}  // namespace weir::probe
