#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "tests/lab/traffic.h"

namespace weir::lab {

/// The TCP streams of `Traffic`: one thread that plays client and server of every connection.
class Streamer {
 public:
  static Result<std::unique_ptr<Streamer>> open(std::vector<StreamFlow> flows);
  ~Streamer();
  Streamer(const Streamer&) = delete;
  Streamer& operator=(const Streamer&) = delete;

  void run(const std::atomic<bool>& sending, const std::atomic<bool>& receiving);
  /// Whether every stream has had data come back.
  [[nodiscard]] bool flowing() const { return flowing_; }
  /// Whether all that was sent on connections that stand has come back.
  [[nodiscard]] bool drained() const { return drained_; }
  [[nodiscard]] std::vector<StreamLog> take_logs();

 private:
  struct Stream;
  Streamer();
  std::vector<std::unique_ptr<Stream>> streams_;
  std::atomic<bool> flowing_{false}, drained_{false};
};

}  // namespace weir::lab
