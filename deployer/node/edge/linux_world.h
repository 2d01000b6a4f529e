#pragma once

#include <string>

#include "deployer/node/edge/image_services.h"
#include "deployer/node/edge/node_log.h"
#include "deployer/node/node_world.h"
#include "deployer/wireguard/edge/wireguard_socket.h"

namespace weir::node {

/// The machine a node's agent runs on.
class LinuxWorld : public NodeWorld {
 public:
  LinuxWorld(wireguard::WireGuardSocket socket, std::string interface, ImageServices services,
             const NodeLog& log)
      : socket_(std::move(socket)),
        interface_(std::move(interface)),
        services_(std::move(services)),
        log_(&log) {}

  Result<NodeFacts> facts() override;
  Result<wireguard::WgDevice> read_device() override { return socket_.read_device(interface_); }
  Status apply(const wireguard::WgChange& change) override { return socket_.apply(change); }
  std::int64_t clock_unix_ns() override;
  Status set_clock(std::int64_t unix_ns) override;
  Result<std::string> logs() override;
  Result<std::vector<manifests::ServiceReport>> services() override { return services_.reports(); }
  Status put_file(const std::string& name, Bytes content) override {
    return services_.put_file(name, content, *log_);
  }
  Result<wireguard::SecretBytes> tool_dump() override;
  void power_off() override;
  void say(std::string_view line) override { log_->say(line); }

 private:
  wireguard::WireGuardSocket socket_;
  std::string interface_;
  ImageServices services_;
  const NodeLog* log_;
  std::optional<NodeFacts> facts_;  ///< read once: they do not change
};

}  // namespace weir::node
