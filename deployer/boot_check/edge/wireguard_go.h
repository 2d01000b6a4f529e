#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "deployer/boot_check/uapi.h"
#include "deployer/network/edge/network_namespace.h"
#include "manifests/base/edge/process_id.h"
#include "manifests/base/result.h"

namespace weir::boot_check {

/// The program `wireguard-go` with one device; it ends with the object.
class WireGuardGo {
 public:
  /// Starts it in `where` and waits until it serves its socket (/run/wireguard/INTERFACE.sock).
  ///
  /// log      file for what it says
  /// errors   not_found: no such program; timeout, io, with its last words
  static Result<WireGuardGo> start(const network::NetworkNamespace& where,
                                   const std::string& interface, const std::string& log,
                                   std::chrono::milliseconds patience);
  WireGuardGo(WireGuardGo&& other) noexcept;
  WireGuardGo& operator=(WireGuardGo&&) = delete;
  ~WireGuardGo();

  /// "wireguard-go 0.0.20220316"
  [[nodiscard]] static Result<std::string> version();

  Status configure(const UapiDevice& device);
  [[nodiscard]] Result<UapiPeer> read_peer();

 private:
  WireGuardGo(const ProcessId& process, std::string socket)
      : process_(process), socket_(std::move(socket)) {}
  Result<std::string> ask(std::string_view operation);
  std::optional<ProcessId> process_;
  std::string socket_;
};

}  // namespace weir::boot_check
