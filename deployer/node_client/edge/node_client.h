#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "deployer/network/edge/network_namespace.h"
#include "deployer/node_client/tls_key.h"
#include "manifests/base/result.h"
#include "manifests/messages/node_api.h"

namespace weir::node_client {

/// How to reach one node and to know that it is the one.
struct NodeAddress {
  NodeId node;
  IpAddress address;            ///< on the management link
  Digest server_pin;            ///< SHA-256 of the node's SubjectPublicKeyInfo (DER)
  std::string client_key_path;  ///< the deployer's TLS key, PEM
};

/// The node API's client half: HTTPS with libcurl, TLS 1.3, both sides pinned by public key. One
/// connection that is kept; not thread safe, so one client a thread. Every call ends by `timeout`.
/// errors: timeout; unauthorized: another key; io; and what the node refused, with the node's name
class NodeClient {
 public:
  static Result<NodeClient> open(NodeAddress address, network::NetworkNamespace where,
                                 std::chrono::milliseconds timeout);
  NodeClient(NodeClient&&) noexcept;
  NodeClient& operator=(NodeClient&&) noexcept;
  ~NodeClient();

  void set_timeout(std::chrono::milliseconds timeout);
  /// From now on a call ends early, with Errc::busy and within about a second, once `flag` is set:
  /// nobody waits any more for a node that is frozen. `flag` outlives the client.
  void end_when(const std::atomic<bool>& flag);
  Result<manifests::NodeIdentity> identity();
  /// How far the node's clock is ahead of ours: its reading against the middle of the exchange; the
  /// best of `samples` (shortest round trip). Positive: ahead.
  Result<std::chrono::microseconds> clock_offset(int samples);
  Status set_clock(std::chrono::nanoseconds unix_time_on_arrival);
  Status put_private_key(const manifests::SealedPrivateKey& key);
  Result<manifests::PeerDump> peers();
  Status apply(const manifests::PeerDiff& diff);
  Status prepare(const manifests::PrepareRequest& request);
  Status commit(const manifests::PeerSelection& peers);
  Status give_up(const manifests::PeerSelection& peers);
  Status drain();
  Result<std::string> logs();
  /// The image's own `wg show all dump`, secrets hidden.
  Result<std::string> tool_dump();
  Status power_off();

 private:
  struct State;
  explicit NodeClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A TLS key and its pin; `certificate_for` makes what goes with it.
struct TlsKey {
  std::string private_key_pem;  ///< Ed25519, PKCS#8
  Digest pin;                   ///< SHA-256 of SubjectPublicKeyInfo (DER)
};
[[nodiscard]] Result<TlsKey> make_tls_key();

}  // namespace weir::node_client
