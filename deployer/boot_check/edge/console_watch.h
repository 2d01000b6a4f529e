#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "deployer/boot_check/timeline.h"

namespace weir::boot_check {

/// Reads a console's file while it grows and notes when each line was there, to some 10 ms.
class ConsoleWatch {
 public:
  ConsoleWatch(std::string path, std::chrono::steady_clock::time_point power_on);
  ConsoleWatch(const ConsoleWatch&) = delete;
  ConsoleWatch& operator=(const ConsoleWatch&) = delete;
  ~ConsoleWatch();

  /// What the kernel said when it gave up; empty: it did not.
  [[nodiscard]] std::string panic();

  /// Ends the watching. returns  every whole line so far
  [[nodiscard]] std::vector<ConsoleLine> finish();

 private:
  void watch();
  std::string path_;
  std::chrono::steady_clock::time_point power_on_;
  std::atomic<bool> done_{false};
  std::mutex guard_;
  std::string panic_;  ///< under guard_
  std::vector<ConsoleLine> lines_;
  std::thread thread_;
};

}  // namespace weir::boot_check
