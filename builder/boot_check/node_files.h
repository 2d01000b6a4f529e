#pragma once

#include <map>
#include <string>
#include <vector>

#include "manifests/base/result.h"
#include "manifests/messages/node_file_words.h"
#include "manifests/messages/service_settings.h"

namespace weir::builder {

/// Whether a machine of this image is given what its services ask for, and nothing else.
/// errors: not_found: a service lacks a file; invalid_input: none asks for one that is given
[[nodiscard]] Status check_node_files(const std::vector<manifests::NodeFileWord>& given,
                                      const std::vector<manifests::ServiceSettings>& services);

}  // namespace weir::builder
