#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "deployer/wireguard/secret_key.h"
#include "manifests/base/result.h"

namespace weir::node {

/// Runs one of the image's tools to its end and returns its standard output (wiped when it goes:
/// tools print keys).
///
/// arguments  the first is the program's path; no shell, no search, an empty environment
/// input      its standard input
/// errors     not_found: the image has no such program; io: cannot start; timeout (it is killed);
///            kernel: it failed, with the first line of what it said on standard error
[[nodiscard]] Result<wireguard::SecretBytes> run_program(const std::vector<std::string>& arguments,
                                                         std::string_view input,
                                                         std::chrono::milliseconds patience);

}  // namespace weir::node
