#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "manifests/base/process_stat.h"
#include "manifests/base/result.h"

namespace weir {

/// One process, told from a later one with the same pid in the same boot of the machine.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< field 22 of /proc/PID/stat
  bool operator==(const ProcessId&) const = default;
};

/// The process that has this pid now. errors: not_found; io
[[nodiscard]] Result<ProcessId> identify(pid_t pid);

/// nullopt: it is gone (a zombie counts as gone and is reaped where it is our child).
[[nodiscard]] Result<std::optional<ProcessStat>> observe(const ProcessId& process);

/// Waits until it has ended. Returns whether it did within `patience`.
[[nodiscard]] Result<bool> wait_for_end(const ProcessId& process,
                                        std::chrono::milliseconds patience);

/// Gives all its threads, and those they make, this nice value (setpriority(2)). Best effort: a
/// process that is gone, or no right to go below 0, changes nothing.
void set_nice(const ProcessId& process, int nice);

/// Sends a signal to exactly this process. Gone already is fine. errors: io
Status signal_process(const ProcessId& process, int signal);

/// SIGKILL, to exactly this process. Gone already is fine. errors: io
Status kill_process(const ProcessId& process);

}  // namespace weir
