#pragma once

#include <functional>

#include "manifests/base/result.h"

namespace weir::boot_check {

/// Set in the enclosed process by SIGINT, SIGTERM and SIGHUP: whatever waits shall end.
[[nodiscard]] bool interrupted();

/// Runs `work` in a process with network, mount and process namespaces of its own: /run is an empty
/// folder in memory, the network is nothing but a loopback. Interfaces, files and programs that
/// `work` makes there are gone when it returns, and also when it or its parent is killed: the
/// kernel ends all processes of a process namespace with its first.
///
/// work     its result is the process's exit code
/// returns  that exit code, or 128 + signal
/// errors   unauthorized: not root; io
[[nodiscard]] Result<int> run_enclosed(const std::function<int()>& work);

}  // namespace weir::boot_check
