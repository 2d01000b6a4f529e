#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"
#include "manifests/messages/service_settings.h"

namespace weir::node {

struct RunningService {
  pid_t pid = 0;
  Fd output;  ///< what it says, both streams; does not block
};

/// Starts `command` as the service's user, with its groups and capabilities and with
/// PR_SET_NO_NEW_PRIVS, in a session and process group of its own; nothing of the caller's is open
/// in it. A program that cannot be executed says why in its output, and ends with status 127.
/// errors: kernel: there is no process to be had
[[nodiscard]] Result<RunningService> start_service(const manifests::ServiceSettings& settings,
                                                   const std::vector<std::string>& command);

}  // namespace weir::node
