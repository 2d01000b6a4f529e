#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "deployer/node_client/node_client.h"
#include "keys/signing/secret.h"
#include "manifests/base/result.h"

namespace weir::boot_check {

/// Files of nodes, by the names that services call them by.
using NodeFiles = std::map<std::string, keys::Secret>;

/// Gives a node the files that its services ask for, and waits until each service is ready.
///
/// files      what stands for the fleet's, and nothing that no service asks for
/// deadline   until when all are to be ready
/// every      how often `say` is told which are not yet, and what they said last
/// say        is told which are
/// errors     not_found: a service asks for a file that is not in `files`; invalid_input: none asks
///            for one that is; io: a service does not come up, with the reason and its last lines;
///            timeout: with those of all that are not up; busy: interrupted
[[nodiscard]] Status bring_up_services(node_client::NodeClient& client, const PublicKey& seal_key,
                                       const NodeFiles& files,
                                       std::chrono::steady_clock::time_point deadline,
                                       std::chrono::milliseconds every,
                                       const std::function<void(const std::string&)>& say);

}  // namespace weir::boot_check
