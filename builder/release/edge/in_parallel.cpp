#include "builder/release/edge/in_parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace weir::builder {

Status in_parallel(std::size_t count, const std::function<Status(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex guard;
  std::optional<Error> first;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      Status done = work(i);
      if (done) continue;
      const std::lock_guard lock(guard);
      if (!first) first = std::move(done.error());
      next = count;
    }
  };
  const std::size_t threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                                                      std::max<std::size_t>(count, 1));
  {
    std::vector<std::jthread> pool;
    for (std::size_t i = 1; i < threads; ++i) pool.emplace_back(run);
    run();
  }
  if (first) return tl::unexpected(std::move(*first));
  return {};
}

}  // namespace weir::builder
