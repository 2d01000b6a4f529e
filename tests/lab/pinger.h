#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "tests/lab/traffic.h"

namespace weir::lab {

/// The pings of `Traffic`: one thread, raw ICMP sockets, receive times from the kernel.
class Pinger {
 public:
  static Result<std::unique_ptr<Pinger>> open(std::vector<PingFlow> flows);
  ~Pinger();
  Pinger(const Pinger&) = delete;
  Pinger& operator=(const Pinger&) = delete;

  /// Sends until `sending` is false, receives until `receiving` is false.
  void run(const std::atomic<bool>& sending, const std::atomic<bool>& receiving);
  [[nodiscard]] std::vector<PingLog> take_logs();
  std::atomic<std::uint64_t> sent{0}, received{0};

 private:
  struct Flow;
  Pinger();
  std::vector<Flow> flows_;
};

}  // namespace weir::lab
