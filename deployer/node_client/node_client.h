#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/messages/node_api.h"
#include "manifests/messages/service_report.h"

namespace weir::node_client {

/// A TLS key and its pin; `certificate_for` makes what goes with it.
struct TlsKey {
  std::string private_key_pem;  ///< Ed25519, PKCS#8
  Digest pin;                   ///< SHA-256 of SubjectPublicKeyInfo (DER)
};

/// The node API's client half. One connection that is kept; not thread safe, so one client a
/// thread. Every call ends by its timeout, its answer read and understood included.
/// errors of all: timeout; unauthorized: another key; io; and what the node refused, with the
/// node's name
class NodeClient {
 public:
  NodeClient() = default;
  NodeClient(const NodeClient&) = delete;
  NodeClient& operator=(const NodeClient&) = delete;
  NodeClient(NodeClient&&) = default;
  NodeClient& operator=(NodeClient&&) = default;
  virtual ~NodeClient() = default;

  virtual void set_timeout(std::chrono::milliseconds timeout) = 0;
  /// From now on a call ends early, with Errc::busy and within about a second, once `flag` is set:
  /// nobody waits any more for a node that is frozen. `flag` outlives the client.
  virtual void end_when(const std::atomic<bool>& flag) = 0;
  virtual Result<manifests::NodeIdentity> identity() = 0;
  /// How far the node's clock is ahead of ours: its reading against the middle of the exchange; the
  /// best of `samples` (shortest round trip). Positive: ahead.
  virtual Result<std::chrono::microseconds> clock_offset(int samples) = 0;
  virtual Status set_clock(std::chrono::nanoseconds unix_time_on_arrival) = 0;
  virtual Status put_private_key(const manifests::SealedPrivateKey& key) = 0;
  virtual Result<manifests::PeerDump> peers() = 0;
  virtual Status apply(const manifests::PeerDiff& diff) = 0;
  virtual Status prepare(const manifests::PrepareRequest& request) = 0;
  virtual Status commit(const manifests::PeerSelection& peers) = 0;
  virtual Status give_up(const manifests::PeerSelection& peers) = 0;
  virtual Status drain() = 0;
  virtual Result<std::string> logs() = 0;
  /// None of a node that does not know the call yet either.
  virtual Result<std::vector<manifests::ServiceReport>> services() = 0;
  virtual Status put_file(const manifests::SealedFile& file) = 0;
  /// The image's own `wg show all dump`, secrets hidden.
  virtual Result<std::string> tool_dump() = 0;
  virtual Status power_off() = 0;
};

}  // namespace weir::node_client
