#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "manifests/documents/boot_check_statement.h"

namespace weir::boot_check {

/// A line of a node's console, and when it was there, since power-on.
struct ConsoleLine {
  std::chrono::milliseconds seen{};
  std::string text;
};

/// What the console shows of a boot, since power-on. Absent: it does not show it.
struct ConsoleTimes {
  std::optional<std::chrono::milliseconds> kernel;               ///< its clock begins
  std::optional<std::chrono::milliseconds> unpacking, unpacked;  ///< the initramfs
  std::optional<std::chrono::milliseconds> init;                 ///< the kernel starts weir-init
  std::optional<std::chrono::milliseconds> api;                  ///< the agent serves its API
};

/// Times are when lines were seen, not those that the node writes in front of them: under emulation
/// its clock can be off by a quarter. Only the kernel's start, which no console shows, is reckoned
/// from the latter, at the pace that they have later on.
[[nodiscard]] ConsoleTimes read_console(const std::vector<ConsoleLine>& lines);

/// What was seen from outside, in milliseconds since power-on.
struct HostTimes {
  std::chrono::milliseconds machine{};     ///< QEMU executes
  std::chrono::milliseconds answer{};      ///< the node API's first answer
  std::chrono::milliseconds configured{};  ///< key and peer are in the node
  std::chrono::milliseconds handshake{};
  std::chrono::milliseconds first_data{};  ///< the first inner byte is upstream
  std::chrono::milliseconds last_data{};   ///< all of it was there and back
};

/// Both together, by time.
[[nodiscard]] std::vector<manifests::BootStep> timeline_of(const HostTimes& host,
                                                           const ConsoleTimes& console);

}  // namespace weir::boot_check
