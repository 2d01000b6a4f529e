#pragma once

#include <functional>
#include <optional>
#include <string>

#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"

namespace weir::network {

/// A network namespace held open, or the one this process started in. Sockets belong to the
/// namespace in which they were made, so most code needs only `socket`.
class NetworkNamespace {
 public:
  /// `name` as `ip netns` shows it; absent: the host's own. errors: not_found, unauthorized
  static Result<NetworkNamespace> open(const std::optional<std::string>& name);
  /// A new one without a name: it goes with its last descriptor, socket and process.
  /// errors: unauthorized
  static Result<NetworkNamespace> make();

  /// socket(2) inside the namespace, always with SOCK_CLOEXEC.
  [[nodiscard]] Result<Fd> socket(int domain, int type, int protocol) const;

  /// Runs `work` on a thread of its own that has entered the namespace, and waits for it. For
  /// libraries that make their sockets, or read /proc/sys/net, themselves.
  Status run(const std::function<Status()>& work) const;

  /// What other interfaces of the kernel call it by; -1: this process's own.
  [[nodiscard]] int descriptor() const { return fd_.get(); }

 private:
  explicit NetworkNamespace(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;  ///< invalid: this process's own
};

}  // namespace weir::network
