#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

struct ChildResult {
  int exit_code = 0;  ///< 128 + signal where one ended it
  std::string out;    ///< standard output
  std::string err;    ///< standard error
  std::string extra;  ///< what it wrote to descriptor 3
};

/// Runs a program to its end, with files in memory as its descriptors 0 to 3 and an environment of
/// PATH and LC_ALL=C only.
///
/// argv     argv[0] is looked up in /usr/local/bin, /usr/bin and /bin
/// limit    how long it may take; then it is killed
/// errors   not_found: no such program; timeout; exhausted: it wrote over 64 MiB; io
[[nodiscard]] Result<ChildResult> run_child(const std::vector<std::string>& argv,
                                            std::string_view input,
                                            std::chrono::milliseconds limit);

}  // namespace weir::builder
