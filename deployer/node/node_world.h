#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deployer/wireguard/device.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/messages/node_api.h"
#include "manifests/messages/service_report.h"

namespace weir::node {

/// What does not change while a node is up.
struct NodeFacts {
  std::string boot_id;
  Digest lock_digest;
  std::string kernel_release;
  std::string kernel_build_id;
  std::vector<manifests::LoadedModule> modules;
  std::vector<manifests::ReleasePackage> tools;
};

/// All that the API's service needs from the machine it runs on.
class NodeWorld {
 public:
  NodeWorld() = default;
  NodeWorld(const NodeWorld&) = delete;
  NodeWorld& operator=(const NodeWorld&) = delete;
  virtual ~NodeWorld() = default;

  virtual Result<NodeFacts> facts() = 0;
  virtual Result<wireguard::WgDevice> read_device() = 0;
  virtual Status apply(const wireguard::WgChange& change) = 0;
  virtual std::int64_t clock_unix_ns() = 0;
  virtual Status set_clock(std::int64_t unix_ns) = 0;
  virtual Result<std::string> logs() = 0;
  /// None in images that have no services.
  virtual Result<std::vector<manifests::ServiceReport>> services() = 0;
  /// Gives a file to the services that ask for one of this name, each as its own.
  /// errors: not_found: no service does
  virtual Status put_file(const std::string& name, Bytes content) = 0;
  /// `wg show all dump` of the image, as it is: secrets and all.
  virtual Result<wireguard::SecretBytes> tool_dump() = 0;
  virtual void power_off() = 0;
  virtual void say(std::string_view line) = 0;
};

}  // namespace weir::node
