#pragma once

#include <map>
#include <optional>

#include "deployer/wireguard/device.h"
#include "manifests/base/result.h"
#include "manifests/messages/node_api.h"

namespace weir::node {

// What the node API's orders mean to WireGuard: decided here, from the kernel's last dump, and
// performed elsewhere. source: the kernel's drivers/net/wireguard/netlink.c, set_peer

/// Preshared keys of a diff, unsealed.
using PresharedKeys = std::map<PublicKey, wireguard::SecretKey>;

/// Peers that already are as they shall be are left out, so that a diff may be sent again; of
/// others only what differs is touched, so that a live session loses no packet. errors:
/// invalid_input: a peer that stands twice, or whose sealed key is not among `preshared_keys`
[[nodiscard]] Result<wireguard::WgChange> plan_diff(const wireguard::WgDevice& now,
                                                    const manifests::PeerDiff& diff,
                                                    const PresharedKeys& preshared_keys);

/// Makes the node send each client an initiation at once. Only the edge of persistent keepalive
/// from 0 sends; a peer that has any history (session, counters, an initiation less than 5 s old)
/// is removed and added before, in the same sequence, or the kernel would not send. errors:
/// not_found: a peer the device does not have; invalid_input: a peer that stands twice
[[nodiscard]] Result<wireguard::WgChange> plan_prepare(const wireguard::WgDevice& now,
                                                       const manifests::PrepareRequest& request);

/// One packet to each in its present session: a keepalive edge, nothing removed.
/// errors: as plan_prepare
[[nodiscard]] Result<wireguard::WgChange> plan_commit(const wireguard::WgDevice& now,
                                                      const manifests::PeerSelection& selection);

/// Removes and adds each without endpoint, which ends all attempts to reach it. Peers the device
/// does not have are left out: there is nothing to give up. errors: invalid_input: a peer that
/// stands twice
[[nodiscard]] Result<wireguard::WgChange> plan_give_up(const wireguard::WgDevice& now,
                                                       const manifests::PeerSelection& selection);

/// Persistent keepalive off wherever it is on.
[[nodiscard]] wireguard::WgChange plan_drain(const wireguard::WgDevice& now);

/// The dump as the API shows it: by public key, without secrets.
/// errors: busy: the device has no private key yet
[[nodiscard]] Result<manifests::PeerDump> describe(const wireguard::WgDevice& now,
                                                   std::int64_t clock_unix_ns);

}  // namespace weir::node
