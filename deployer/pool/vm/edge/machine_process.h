#pragma once

#include <cstdint>
#include <string>

#include "deployer/pool/machines.h"
#include "manifests/base/edge/process_id.h"

namespace weir::pool {

/// How the process that a record names was found.
enum class Found : std::uint8_t {
  running,
  frozen,
  ending,   ///< gone, but its last threads may still hold the links
  foreign,  ///< it lives, and is not the record's machine
  nobody,   ///< the record names no process
};

/// The file in a machine's folder that it writes its console to, and holds open.
[[nodiscard]] std::string console_log(const std::string& folder);

[[nodiscard]] ProcessId process_of(const MachineRecord& machine);

/// Looks for it, and recognises it by what the kernel tells (machine_identity.h).
///
/// proc    where the kernel tells it; pid and start time are always those of /proc
/// errors  io, unauthorized, invalid_input: it lives, and cannot be looked at now. Who it is is not
///         known then
[[nodiscard]] Result<Found> find_machine(const MachineRecord& machine,
                                         const std::string& proc = "/proc");

}  // namespace weir::pool
