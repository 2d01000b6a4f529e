#pragma once

#include <string>

#include "deployer/site/documents.h"
#include "manifests/base/result.h"

namespace weir::deployer {

/// errors: those of every document, naming the file
[[nodiscard]] Result<Documents> read_documents(const std::string& fleet_path);

/// Where the process that serves a fleet listens. errors: those of the fleet document
[[nodiscard]] Result<std::string> control_path(const std::string& fleet_path);

}  // namespace weir::deployer
