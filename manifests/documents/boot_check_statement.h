#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/base/utc_time.h"
#include "manifests/documents/attested_facts.h"

namespace weir::manifests {

inline constexpr std::string_view kBootCheckType = "weir.boot-check/1";

/// What went through the tunnel. Payload is what was compared byte by byte; the counters are those
/// of the two WireGuard devices, and never below it.
struct BootTraffic {
  std::uint64_t sent = 0;      ///< bytes of payload from the peer through the node
  std::uint64_t received = 0;  ///< bytes of payload back to the peer
  std::uint64_t peer_tx_bytes = 0, peer_rx_bytes = 0;
  std::uint64_t node_tx_bytes = 0, node_rx_bytes = 0;
  bool operator==(const BootTraffic&) const = default;
};

/// A step of the boot and when it was reached.
struct BootStep {
  std::string name;                ///< "first-handshake"; docs/boot-check.md lists them
  std::uint64_t milliseconds = 0;  ///< since power-on
  bool operator==(const BootStep&) const = default;
};

inline constexpr std::string_view kHandshakeStep = "first-handshake";
inline constexpr std::string_view kDataStep = "first-data";

/// "I booted this release, a WireGuard peer completed a handshake with it, data went both ways, and
/// this is what it said of itself." What `weir-boot-check` prints is what gets signed, byte by
/// byte. Format: docs/boot-check.md.
struct BootCheckStatement {
  ReleaseName release;
  Digest release_digest;  ///< of the release document
  UtcTime checked_at;
  std::string checker_version;  ///< "0.1.0"
  std::string machine;          ///< "QEMU 7.2.22, software emulation"
  std::string peer;             ///< "wireguard-go 0.0.20220316"
  AttestedFacts facts;
  BootTraffic traffic;
  std::vector<BootStep> timeline;  ///< by time; handshake and data are always there
  bool operator==(const BootCheckStatement&) const = default;
};

/// errors: invalid_input, naming the field; any text that `print` would not have written; traffic
/// that did not go both ways
[[nodiscard]] Result<BootCheckStatement> parse_boot_check_statement(std::string_view json);
[[nodiscard]] std::string print(const BootCheckStatement& statement);

}  // namespace weir::manifests
