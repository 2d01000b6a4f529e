#pragma once

#include <chrono>
#include <thread>

/// How tests wait. A verdict never hangs on how busy the machine is: what has to come is waited for
/// far longer than any machine needs, and whoever makes progress is given all of that time again.
/// Only a test that fails waits so long.
namespace weir::test {

inline constexpr std::chrono::milliseconds kPatience = std::chrono::minutes(5);

/// Waits until `done()`, at most `kPatience` after `progress()`, any value that can be compared,
/// was last another one. False where it gave up.
template <class Done, class Progress>
bool eventually(const Done& done, const Progress& progress) {
  auto seen = progress();
  auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (auto now = progress(); now != seen) {
      seen = now;
      deadline = std::chrono::steady_clock::now() + kPatience;
    }
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // asks again
  }
  return true;
}

template <class Done>
bool eventually(const Done& done) {
  return eventually(done, [] { return 0; });
}

}  // namespace weir::test
