#pragma once

#include <array>

#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"

namespace weir {

/// A child that executes its program.
struct Started {
  ProcessId id;
  Fd pidfd;
};

/// Forks and executes; returns once execve succeeded. The child's umask is ours, but takes nothing
/// from the owner; in a session of its own it is 077.
///
/// streams  what becomes descriptors 0 to 3, -1 for one that stays as it is (3: closed); the
///          program's own streams are not looked at
/// errors   not_found: no such program; io, saying which step failed. Both name the program
[[nodiscard]] Result<Started> start_process(const Program& program,
                                            const std::array<int, 4>& streams);

/// Waits until the process has ended, without reaping it. Returns whether it did within `patience`.
[[nodiscard]] Result<bool> ends_within(const Fd& pidfd, std::chrono::milliseconds patience);

[[nodiscard]] Fd open_pidfd(pid_t pid);

/// What a shell would say of a wait status: the exit status, or 128 + the signal.
[[nodiscard]] int exit_status(int wait_status);

}  // namespace weir
