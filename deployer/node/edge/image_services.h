#pragma once

#include <string>
#include <vector>

#include "deployer/node/edge/node_log.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/messages/service_report.h"
#include "manifests/messages/service_settings.h"

namespace weir::node {

/// The agent's side of an image's services, which weir-init keeps: their ports, their files, and
/// what weir-init tells of them.
class ImageServices {
 public:
  /// errors: invalid_input, io: of manifests::kServicesPath
  static Result<ImageServices> read();

  [[nodiscard]] std::vector<manifests::OpenPort> open_ports() const;
  /// The network is up: from now on services may be started. errors: io
  Status begin() const;
  /// errors: of manifests::kServiceRecordsPath
  [[nodiscard]] Result<std::vector<manifests::ServiceReport>> reports() const;
  /// Puts the content into RAM for each service that asks for it. What is there already stays as it
  /// is; a content that differs restarts the service.
  /// errors: not_found: no service asks for it; exhausted, io
  Status put_file(const std::string& name, Bytes content, const NodeLog& log) const;
  /// For the log: what each service is, and what it said last.
  [[nodiscard]] std::string last_words() const;

 private:
  std::vector<manifests::ServiceSettings> settings_;
};

}  // namespace weir::node
