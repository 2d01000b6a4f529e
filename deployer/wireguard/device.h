#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deployer/wireguard/secret_key.h"
#include "manifests/base/names.h"
#include "manifests/base/net.h"

namespace weir::wireguard {

/// A peer as the kernel knows it.
struct WgPeer {
  PublicKey public_key;
  std::optional<SecretKey> preshared_key;
  std::optional<Endpoint> endpoint;
  std::uint16_t keepalive_seconds = 0;      ///< 0: off
  std::int64_t last_handshake_unix_ns = 0;  ///< 0: never
  std::uint64_t rx_bytes = 0, tx_bytes = 0;
  std::vector<Prefix> allowed_ips;  ///< in the kernel's order
  bool operator==(const WgPeer&) const = default;
};

/// A WireGuard device as the kernel knows it.
struct WgDevice {
  std::string interface;
  std::uint32_t index = 0;
  std::optional<SecretKey> private_key;
  std::optional<PublicKey> public_key;  ///< absent without private key
  std::uint16_t listen_port = 0;
  std::uint32_t fwmark = 0;
  std::vector<WgPeer> peers;  ///< in the kernel's order
  bool operator==(const WgDevice&) const = default;
};

/// One step at one peer. What is absent stays as it is.
struct WgPeerChange {
  enum class Kind {
    put,     ///< made where it is missing
    update,  ///< left out where it is missing (WGPEER_F_UPDATE_ONLY)
    remove,  ///< everything below is ignored
  };
  PublicKey public_key;
  Kind kind = Kind::put;
  std::optional<SecretKey> preshared_key;  ///< all zeros: none from now on
  std::optional<Endpoint> endpoint;
  std::optional<std::uint16_t> keepalive_seconds;  ///< the kernel sends at once on 0 -> n
  bool replace_allowed_ips = false;
  std::vector<Prefix> allowed_ips;  ///< added, or all there are with `replace_allowed_ips`
};

/// Steps at a device, performed in order; a peer may stand several times.
struct WgChange {
  std::string interface;
  std::optional<SecretKey> private_key;  ///< all zeros: none
  std::optional<std::uint16_t> listen_port;
  std::optional<std::uint32_t> fwmark;
  bool replace_peers = false;  ///< all present peers go first
  std::vector<WgPeerChange> peers;
};

}  // namespace weir::wireguard
