#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "deployer/node/node_world.h"
#include "deployer/node/seal_key.h"
#include "manifests/base/result.h"
#include "manifests/messages/node_api.h"

namespace weir::node {

struct ApiRequest {
  std::string_view method, target, body;
};

struct ApiResponse {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string body = "{}";
  bool ends_node = false;  ///< once the answer is out
};

/// Answers the node API (docs/node-api.md). Whoever calls has been let in by its key already.
class ApiService {
 public:
  /// Reads what the kernel already holds: an agent that was restarted goes on where it was.
  static Result<ApiService> open(const manifests::NodeConfig& config, SealKey seal_key,
                                 NodeWorld& world);

  [[nodiscard]] ApiResponse handle(const ApiRequest& request);

 private:
  using Handler = Result<ApiResponse> (ApiService::*)(std::string_view body);
  struct Call;
  static const Call kCalls[];

  ApiService(const manifests::NodeConfig& config, SealKey seal_key, NodeWorld& world)
      : node_(config.node),
        clock_offset_(config.clock_offset),
        seal_key_(std::move(seal_key)),
        world_(&world) {}

  Result<ApiResponse> identity(std::string_view body);
  Result<ApiResponse> set_clock(std::string_view body);
  Result<ApiResponse> put_private_key(std::string_view body);
  Result<ApiResponse> dump_peers(std::string_view body);
  Result<ApiResponse> apply_diff(std::string_view body);
  Result<ApiResponse> prepare(std::string_view body);
  Result<ApiResponse> commit(std::string_view body);
  Result<ApiResponse> give_up(std::string_view body);
  Result<ApiResponse> drain(std::string_view body);
  Result<ApiResponse> services(std::string_view body);
  Result<ApiResponse> put_file(std::string_view body);
  Result<ApiResponse> logs(std::string_view body);
  Result<ApiResponse> tool_dump(std::string_view body);
  Result<ApiResponse> power_off(std::string_view body);

  Result<wireguard::WgDevice> keyed_device();
  Status perform(std::string_view what, const wireguard::WgChange& change);

  NodeId node_;
  std::chrono::milliseconds clock_offset_;
  SealKey seal_key_;
  NodeWorld* world_;
  std::optional<PublicKey> device_key_;
};

/// `wg show all dump` with private and preshared keys replaced by "(hidden)"; lines of unknown
/// shape are left out. source: wg(8), "dump"
[[nodiscard]] std::string hide_secrets(std::string_view dump);

}  // namespace weir::node
