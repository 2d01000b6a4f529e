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
/// files    what stands for the fleet's
/// say      is told which are
/// errors   not_found: a service asks for a file that is not in `files`; io: a service does not
///          come up, with the reason and its last lines; timeout; busy: interrupted
[[nodiscard]] Status bring_up_services(node_client::NodeClient& client, const PublicKey& seal_key,
                                       const NodeFiles& files, std::chrono::milliseconds patience,
                                       const std::function<void(const std::string&)>& say);

}  // namespace weir::boot_check
