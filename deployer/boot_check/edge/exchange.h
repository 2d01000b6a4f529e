#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "deployer/network/edge/network_namespace.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"

namespace weir::boot_check {

struct Exchanged {
  std::size_t each_way = 0;                          ///< bytes of payload
  std::chrono::steady_clock::time_point first_byte;  ///< there, at the far end
  std::chrono::steady_clock::time_point last_byte;   ///< of both directions
};

/// Opens a TCP connection to an address of another namespace and sends random bytes through it,
/// both ways at once; what arrives is compared with what was sent.
///
/// near, far  where it comes from and where `target` is
/// bytes      each way
/// errors     timeout, saying how far each direction came; integrity: other bytes arrived; busy:
///            interrupted; io
[[nodiscard]] Result<Exchanged> exchange(const network::NetworkNamespace& near,
                                         const network::NetworkNamespace& far,
                                         const IpAddress& target, std::size_t bytes,
                                         std::chrono::milliseconds patience);

/// Whether somebody accepts TCP connections there, as far as can be told within `patience`.
[[nodiscard]] bool accepts_connections(const network::NetworkNamespace& from,
                                       const IpAddress& address, std::uint16_t port,
                                       std::chrono::milliseconds patience);

}  // namespace weir::boot_check
