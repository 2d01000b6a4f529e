#pragma once

#include <chrono>
#include <string>

#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"

namespace weir::pool {

/// The socket a QEMU listens on for orders, bound inside a folder that only we may enter.
/// Descriptors stand for the folder, because a socket's path may not be longer than 107 bytes.
/// errors: io
[[nodiscard]] Result<Fd> listen_for_qmp(const std::string& folder);

/// A connection to one QEMU. source: QEMU's docs/interop/qmp-spec.txt
class QmpClient {
 public:
  /// Connects, reads the greeting and leaves negotiation mode.
  /// errors: timeout: nothing answers (a frozen machine); io: nobody listens
  static Result<QmpClient> open(const std::string& folder, std::chrono::milliseconds timeout);
  /// Runs a command without arguments and returns its `return` value as JSON.
  Result<std::string> run(const std::string& command);

 private:
  QmpClient(Fd socket, std::chrono::milliseconds timeout)
      : socket_(std::move(socket)), timeout_(timeout) {}
  Result<std::string> read_line();
  Fd socket_;
  std::chrono::milliseconds timeout_;
  std::string buffered_;
};

}  // namespace weir::pool
