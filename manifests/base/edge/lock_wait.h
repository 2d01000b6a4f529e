#pragma once

#include <functional>
#include <string>

#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"

namespace weir {

/// What becomes of a wait for another process.
struct Waiting {
  /// Asked some ten times a second; true ends the wait.
  std::function<bool()> interrupted{};
  /// Called once, after two seconds, with what is waited for.
  std::function<void(const std::string&)> say{};
};

/// Waits for the exclusive lock on an open file, which goes with the descriptor (flock(2)).
///
/// path    its name, for people
/// errors  busy: interrupted; io. Each names the path
[[nodiscard]] Status wait_for_lock(const Fd& file, const std::string& path, const Waiting& waiting);

/// Opens a file that everybody replaces whole (`write_file`), to read it, and keeps everybody else
/// out who does this, until the descriptor is closed: what is read then is what will be replaced.
///
/// errors  not_found: it is not there, or no more; as `open_file` and `wait_for_lock`
[[nodiscard]] Result<Fd> lock_to_replace(const std::string& path, const Waiting& waiting);

}  // namespace weir
