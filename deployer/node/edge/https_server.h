#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "deployer/node/api_service.h"
#include "manifests/base/digest.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"

namespace weir::node {

struct ServerOptions {
  Endpoint listen;              ///< on the management link; port 0 takes any (tests)
  std::string interface;        ///< SO_BINDTODEVICE
  std::string tls_private_key;  ///< PEM, Ed25519
  Digest client_pin;            ///< SHA-256 of the one client's SubjectPublicKeyInfo (DER)
  std::chrono::seconds handshake_timeout{5};  ///< from the connection until the key is proved
  std::chrono::seconds silence_timeout{30};
  std::uint64_t longest_body = 64ULL << 20;
  std::size_t most_connections = 16;  ///< of clients that proved their key
  std::size_t most_unproven = 32;     ///< of those that did not yet
};

/// The node API's HTTPS server: TLS 1.3, no resumption, one thread. A client that does not prove to
/// hold the pinned key gets an alert and nothing else, and takes no place from one that does: of
/// the connections that are still to prove it, the oldest makes way for a new one.
class HttpsServer {
 public:
  using Answer = std::function<ApiResponse(const ApiRequest&)>;

  /// `end_node` is called once an answer with `ends_node` is out.
  static Result<HttpsServer> open(const ServerOptions& options, Answer answer,
                                  std::function<void()> end_node);
  HttpsServer(HttpsServer&&) noexcept;
  HttpsServer& operator=(HttpsServer&&) noexcept;
  ~HttpsServer();

  [[nodiscard]] std::uint16_t port() const;
  /// Serves until `stop`. errors: io
  Status run();
  void stop();  ///< from any thread

 private:
  struct State;
  explicit HttpsServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::node
