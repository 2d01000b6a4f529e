#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// The folder that this program lies in, symbolic links followed. errors: io
[[nodiscard]] Result<std::string> program_folder();

struct SiblingResult {
  int exit_code = 0;  ///< 128 + signal where one ended it
  std::string out;    ///< standard output, at most 1 MiB
};

/// Runs another program of Weir that lies beside this one, to its end. Its standard error is ours;
/// Ctrl-C, SIGTERM and SIGHUP are passed on and waited for, and it is asked to end (SIGTERM) when
/// this process dies.
///
/// limit   how long it may take; then it is asked to end, and ten seconds later killed
/// errors  not_found: no such program; timeout; exhausted; io
[[nodiscard]] Result<SiblingResult> run_sibling(const std::string& name,
                                                const std::vector<std::string>& arguments,
                                                std::chrono::milliseconds limit);

}  // namespace weir::builder
