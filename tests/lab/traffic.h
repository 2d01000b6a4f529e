#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "manifests/base/net.h"
#include "manifests/base/result.h"
#include "tests/lab/statistics.h"

namespace weir::lab {

/// Echo requests at 50 a second.
struct PingFlow {
  std::string flow, client;
  std::string netns;
  IpAddress source, target;
};

/// A TCP connection with about 25 KB/s each way: what the client sends comes back and is compared.
struct StreamFlow {
  std::string flow, client;
  std::string client_netns, server_netns;
  IpAddress server;
  std::uint16_t port = 0;
};

/// Real packets from real sockets inside the clients' namespaces, until `stop`.
class Traffic {
 public:
  /// errors: io, naming the flow: a socket could not be made, or a stream not connected within 30 s
  static Result<Traffic> start(std::vector<PingFlow> pings, std::vector<StreamFlow> streams);
  Traffic(Traffic&&) noexcept;
  Traffic& operator=(Traffic&&) noexcept;
  ~Traffic();

  /// Requests sent and replies received until now, over all flows.
  struct Count {
    std::uint64_t sent = 0, received = 0;
  };
  [[nodiscard]] Count count() const;
  /// Stops sending, waits 2 s for replies and at most 30 s for the streams' last bytes, and returns
  /// what was seen.
  [[nodiscard]] TrafficLog stop();

 private:
  struct State;
  explicit Traffic(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

[[nodiscard]] UnixNs unix_now();

}  // namespace weir::lab
