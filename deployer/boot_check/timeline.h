#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "manifests/boot_check_statement.h"

namespace weir::boot_check {

/// What a node's own log says about its boot, in milliseconds of its own clock, which starts with
/// its kernel. Absent: the log does not say it.
struct GuestTimes {
  std::optional<std::chrono::milliseconds> unpacking, unpacked;  ///< the initramfs
  std::optional<std::chrono::milliseconds> init;                 ///< the kernel starts weir-init
  std::optional<std::chrono::milliseconds> api;                  ///< the agent serves its API
  std::optional<std::chrono::milliseconds> clock_set;  ///< by us: where the two clocks meet
};

/// log  the node API's: the kernel's ring buffer, then what weir-init and weir-node said; each line
///      that counts begins with "[ seconds.fraction]"
[[nodiscard]] GuestTimes parse_guest_log(std::string_view log);

/// What was seen from outside, in milliseconds since power-on.
struct HostTimes {
  std::chrono::milliseconds machine{};  ///< QEMU executes
  std::chrono::milliseconds answer{};   ///< the node API's first answer
  std::chrono::milliseconds clock_set{};
  std::chrono::milliseconds configured{};  ///< key and peer are in the node
  std::chrono::milliseconds handshake{};
  std::chrono::milliseconds first_data{};  ///< the first inner byte is upstream
  std::chrono::milliseconds last_data{};   ///< all of it was there and back
};

/// Both on one clock, by time. The guest's times stand on the host's line where both know when the
/// clock was set; without that they are left out.
[[nodiscard]] std::vector<manifests::BootStep> timeline_of(const HostTimes& host,
                                                           const GuestTimes& guest);

}  // namespace weir::boot_check
