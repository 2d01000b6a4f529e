#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deployer/pool/process_stat.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::pool {

/// A program that gets nothing but what is named here.
struct SpawnRequest {
  std::string program;                 ///< absolute path
  std::vector<std::string> arguments;  ///< without the program's name
  std::vector<int> inherited;          ///< descriptors it keeps, under the same numbers
  int output = -1;                     ///< its standard output and error
  uid_t user = 0;                      ///< becomes user and group
  std::vector<gid_t> groups;           ///< supplementary
  ByteCount largest_file;              ///< writes beyond fail with EFBIG (RLIMIT_FSIZE)
  int nice = 0;                        ///< not what its parent has
};

/// One process of ours, told from a later one with the same pid.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
};

/// Starts it in a session of its own, without capabilities or a way to gain any, standard input
/// empty, core dumps off. Returns after execve succeeded. It outlives this process. errors:
/// not_found: no such program; io, saying which step failed
[[nodiscard]] Result<ProcessId> spawn(const SpawnRequest& request);

/// nullopt: it is gone (a zombie counts as gone and is reaped where it is our child).
[[nodiscard]] Result<std::optional<ProcessStat>> observe(const ProcessId& process);

/// Waits until it has ended. Returns whether it did within `patience`.
[[nodiscard]] Result<bool> wait_for_end(const ProcessId& process,
                                        std::chrono::milliseconds patience);

/// The same for a child, with its exit status (128 + signal where one ended it); nullopt: still
/// there.
[[nodiscard]] Result<std::optional<int>> wait_for_exit(const ProcessId& child,
                                                       std::chrono::milliseconds patience);

/// Gives all its threads, and those they make, this nice value (setpriority(2)). Best effort: a
/// process that is gone, or no right to go below 0, changes nothing.
void set_nice(const ProcessId& process, int nice);

/// SIGKILL, to exactly this process. Gone already is fine.
Status kill_process(const ProcessId& process);

}  // namespace weir::pool
