#pragma once

#include <string>

#include "builder/lock/edge/make_lock.h"

namespace weir::builder {

/// What `lock` tells on stdout about the lock it made. `written`: it now stands at `path`.
void print_lock(const LockOutcome& outcome, const std::string& path, bool written, bool json);

/// What `lock --check` tells about the lock that stands at `path`.
/// returns  whether it is current: nothing is newer, nothing has vanished, the manifest is the same
[[nodiscard]] bool print_lock_check(const LockOutcome& outcome, const std::string& path, bool json);

/// What `lock --why` tells.
void print_explanations(const std::vector<Explanation>& explanations, bool json);

}  // namespace weir::builder
