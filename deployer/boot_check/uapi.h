#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "keys/signing/secret.h"
#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"

// The configuration protocol of userspace WireGuard, as wireguard-go speaks it on its socket.
// source: the "Cross-platform Userspace Implementation" page of the WireGuard project
namespace weir::boot_check {

/// A device with one peer.
struct UapiDevice {
  const keys::Secret& private_key;  ///< 32 bytes
  PublicKey gateway;
  const keys::Secret& preshared_key;  ///< 32 bytes
  Endpoint endpoint;
  std::vector<Prefix> allowed_ips;
};

/// The `set` operation that makes a device so, replacing its peers. It holds both keys in hex.
[[nodiscard]] Result<keys::Secret> uapi_set(const UapiDevice& device);

struct UapiPeer {
  std::int64_t last_handshake_unix_ns = 0;  ///< 0: never
  std::uint64_t rx_bytes = 0, tx_bytes = 0;
};

/// Its answer to `set`. errors: kernel, with the errno it names; invalid_input: not an answer
[[nodiscard]] Status parse_uapi_status(std::string_view answer);
/// Its answer to `get`: the only peer. errors: as above; not_found: there is none
[[nodiscard]] Result<UapiPeer> parse_uapi_peer(std::string_view answer);

}  // namespace weir::boot_check
