#pragma once

#include <memory>
#include <string>

#include "deployer/network/edge/network_namespace.h"
#include "deployer/node_client/node_client.h"
#include "deployer/node_client/tls_key.h"

namespace weir::node_client {

/// How to reach one node and to know that it is the one.
struct NodeAddress {
  NodeId node;
  IpAddress address;            ///< on the management link
  Digest server_pin;            ///< SHA-256 of the node's SubjectPublicKeyInfo (DER)
  std::string client_key_path;  ///< the deployer's TLS key, PEM
};

/// HTTPS with libcurl, TLS 1.3, both sides pinned by public key.
class HttpsNodeClient final : public NodeClient {
 public:
  static Result<HttpsNodeClient> open(NodeAddress address, network::NetworkNamespace where,
                                      std::chrono::milliseconds timeout);
  HttpsNodeClient(HttpsNodeClient&&) noexcept;
  HttpsNodeClient& operator=(HttpsNodeClient&&) noexcept;
  ~HttpsNodeClient() override;

  void set_timeout(std::chrono::milliseconds timeout) override;
  void end_when(const std::atomic<bool>& flag) override;
  Result<manifests::NodeIdentity> identity() override;
  Result<std::chrono::microseconds> clock_offset(int samples) override;
  Status set_clock(std::chrono::nanoseconds unix_time_on_arrival) override;
  Status put_private_key(const manifests::SealedPrivateKey& key) override;
  Result<manifests::PeerDump> peers() override;
  Status apply(const manifests::PeerDiff& diff) override;
  Status prepare(const manifests::PrepareRequest& request) override;
  Status commit(const manifests::PeerSelection& peers) override;
  Status give_up(const manifests::PeerSelection& peers) override;
  Status drain() override;
  Result<std::string> logs() override;
  Result<std::vector<manifests::ServiceReport>> services() override;
  Status put_file(const manifests::SealedFile& file) override;
  Result<std::string> tool_dump() override;
  Status power_off() override;

 private:
  struct State;
  explicit HttpsNodeClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::node_client
