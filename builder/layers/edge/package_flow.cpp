#include "builder/layers/edge/package_flow.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace weir::builder {
namespace {

using Clock = std::chrono::steady_clock;

// One pass over packages: those that are there are offered, workers take them.
class Pass {
 public:
  Pass(const std::vector<WantedPackage>& packages, const Cache& cache, const PackageFlow& flow)
      : packages_(packages), cache_(cache), flow_(flow) {}

  void offer(std::size_t place) {
    const std::lock_guard lock(guard_);
    ready_.emplace(packages_[place].package.size.value, place);
    changed_.notify_one();
  }

  // Nothing more will be offered.
  void close() {
    const std::lock_guard lock(guard_);
    closed_ = true;
    changed_.notify_all();
  }

  // Whether what is still being fetched is for nothing.
  [[nodiscard]] bool failed() {
    const std::lock_guard lock(guard_);
    return first_.has_value();
  }

  void fail(Error error) {
    const std::lock_guard lock(guard_);
    if (!first_) first_ = std::move(error);
    ready_.clear();
    closed_ = true;
    changed_.notify_all();
  }

  // Until nothing more comes.
  void work() {
    while (const auto place = take()) {
      auto deb = read_package(cache_, packages_[*place].package);
      if (!deb && is_lost(deb.error())) {
        lose(*place, std::move(deb.error()));
        continue;
      }
      Status used = deb ? flow_.use(*place, *deb) : Status(tl::unexpected(std::move(deb.error())));
      if (!used) fail(std::move(used.error()));
    }
  }

  // The rest is read when all workers have ended.
  [[nodiscard]] const std::optional<Error>& first_error() const { return first_; }
  [[nodiscard]] const std::map<std::size_t, Error>& lost() const { return lost_; }

 private:
  static bool is_lost(const Error& error) {
    return error.code == Errc::not_found || error.code == Errc::integrity;
  }

  std::optional<std::size_t> take() {
    std::unique_lock lock(guard_);
    changed_.wait(lock, [this] { return closed_ || !ready_.empty(); });
    if (ready_.empty()) return std::nullopt;
    const auto largest = std::prev(ready_.end());
    const std::size_t place = largest->second;
    ready_.erase(largest);
    return place;
  }

  void lose(std::size_t place, Error why) {
    const std::lock_guard lock(guard_);
    lost_.emplace(place, std::move(why));
  }

  const std::vector<WantedPackage>& packages_;
  const Cache& cache_;
  const PackageFlow& flow_;
  std::mutex guard_;
  std::condition_variable changed_;
  std::multimap<std::uint64_t, std::size_t> ready_;  // by size
  bool closed_ = false;
  std::optional<Error> first_;
  std::map<std::size_t, Error> lost_;
};

// Fetches what `places` name and offers each as it arrives.
Status fetch_into(Pass& pass, const std::vector<WantedPackage>& packages,
                  const std::vector<std::size_t>& places, const Cache& cache,
                  const PackageFlow& flow) {
  TRY_ASSIGN(const Mirrors mirrors, flow.mirrors());
  std::vector<manifests::LockedPackage> wanted;
  wanted.reserve(places.size());
  for (const std::size_t place : places) wanted.push_back(packages[place].package);
  return fetch_packages(
      wanted, mirrors, cache, flow.observer, [&](std::size_t i) { pass.offer(places[i]); },
      [&] { return pass.failed(); });
}

}  // namespace

Result<std::chrono::nanoseconds> each_package(const std::vector<WantedPackage>& packages,
                                              const Cache& cache, const PackageFlow& flow) {
  const auto begin = Clock::now();
  std::chrono::nanoseconds fetching{};
  std::vector<std::size_t> here, absent;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    (packages[i].fetch ? absent : here).push_back(i);
  }
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  // A second pass, for what turned out to be damaged, is the last.
  for (bool again = false;; again = true) {
    Pass pass(packages, cache, flow);
    for (const std::size_t place : here) pass.offer(place);
    {
      std::vector<std::jthread> workers;
      const std::size_t others = std::min(processors - (absent.empty() ? 1 : 0), packages.size());
      for (std::size_t i = 0; i < others; ++i) workers.emplace_back([&pass] { pass.work(); });
      if (!absent.empty()) {
        Status fetched = fetch_into(pass, packages, absent, cache, flow);
        fetching = Clock::now() - begin;
        if (!fetched) pass.fail(std::move(fetched.error()));
      }
      pass.close();
      pass.work();
    }
    if (pass.first_error()) return tl::unexpected(*pass.first_error());
    if (pass.lost().empty()) return fetching;
    if (again) return tl::unexpected(pass.lost().begin()->second);
    here.clear();
    absent.clear();
    for (const auto& [place, _] : pass.lost()) absent.push_back(place);
  }
}

}  // namespace weir::builder
