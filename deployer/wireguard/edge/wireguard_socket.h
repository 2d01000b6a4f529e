#pragma once

#include <cstdint>
#include <string>

#include "deployer/network/edge/network_namespace.h"
#include "deployer/wireguard/device.h"
#include "manifests/base/result.h"

namespace weir::wireguard {

/// Generic netlink family "wireguard" of one network namespace. Not thread safe.
class WireGuardSocket {
 public:
  /// errors: not_found: the kernel has no WireGuard (module not loaded); unauthorized
  static Result<WireGuardSocket> open(const network::NetworkNamespace& where);

  /// Everything the kernel says about a device. Dumps again, a few times, where it changed
  /// meanwhile. errors: not_found: no such device; busy: it never stopped changing; kernel
  [[nodiscard]] Result<WgDevice> read_device(const std::string& interface);

  /// Performs the change, message by message; each is acknowledged before the next.
  /// errors: not_found: no such device; kernel, saying which message of how many: those before it
  /// are
  ///         done
  Status apply(const WgChange& change);

 private:
  WireGuardSocket(Fd socket, std::uint16_t family) : socket_(std::move(socket)), family_(family) {}
  Result<WgDevice> read_once(const std::string& interface, bool& interrupted);

  Fd socket_;
  std::uint16_t family_;
  std::uint32_t sequence_ = 0;
};

}  // namespace weir::wireguard
