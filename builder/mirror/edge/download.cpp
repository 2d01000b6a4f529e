#include "builder/mirror/edge/download.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "builder/mirror/edge/curl_on_demand.h"
#include "builder/mirror/edge/transfer.h"

namespace weir::builder {
namespace {

using Clock = std::chrono::steady_clock;
using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;

/// Runs transfers until all are finished, or one has failed.
class Runner {
 public:
  Runner(const std::vector<Download>& downloads, const Cache& cache, const DownloadPolicy& policy,
         const DownloadObserver& observer, const DownloadArrived& arrived)
      : policy_(policy), observer_(observer), arrived_(arrived) {
    for (const Download& download : downloads) {
      transfers_.push_back(std::make_unique<Transfer>(download, cache, policy, observer));
      progress_.bytes_total.value += download.size.value;
    }
    progress_.files_total = downloads.size();
  }

  Status run();

 private:
  void start_some();
  void add(const Transfer& transfer);
  void collect();
  void judge(Transfer& transfer);
  void give_up(const Error& why);
  void report(bool last);

  const DownloadPolicy& policy_;
  const DownloadObserver& observer_;
  const DownloadArrived& arrived_;
  std::vector<std::unique_ptr<Transfer>> transfers_;  // curl keeps their addresses
  Multi multi_{curl_multi_init(), curl_multi_cleanup};
  std::size_t running_ = 0;
  std::optional<Error> first_;
  DownloadProgress progress_;
  Clock::time_point reported_{};
};

void Runner::add(const Transfer& transfer) {
  if (curl_multi_add_handle(multi_.get(), transfer.easy()) == CURLM_OK) ++running_;
}

void Runner::start_some() {
  const auto now = Clock::now();
  for (auto& transfer : transfers_) {
    if (running_ >= policy_.parallel || first_) return;
    if (transfer->finished() || transfer->easy() != nullptr || transfer->not_before() > now) {
      continue;
    }
    if (transfer->start()) add(*transfer);
    judge(*transfer);
  }
}

void Runner::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    CURL* easy = message->easy_handle;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(multi_.get(), easy);
    --running_;
    if (transfer->end(code)) add(*transfer);
    judge(*transfer);
    if (!arrived_ || !transfer->succeeded()) continue;
    const auto is_it = [&](const auto& one) { return one.get() == transfer; };
    const auto at = std::find_if(transfers_.begin(), transfers_.end(), is_it);
    arrived_(static_cast<std::size_t>(at - transfers_.begin()));
  }
}

// One that failed for good ends all others.
void Runner::judge(Transfer& transfer) {
  if (first_ || !transfer.finished() || transfer.succeeded()) return;
  first_ = std::move(transfer.take_status()).error();
  give_up({Errc::busy, 0, "was stopped: another download failed"});
}

void Runner::give_up(const Error& why) {
  for (auto& transfer : transfers_) {
    if (transfer->finished()) continue;
    if (transfer->easy() != nullptr) curl_multi_remove_handle(multi_.get(), transfer->easy());
    transfer->give_up(why);
  }
  running_ = 0;
}

void Runner::report(bool last) {
  const auto now = Clock::now();
  if (!observer_.progress || (!last && now - reported_ < std::chrono::milliseconds(100))) return;
  reported_ = now;
  progress_.bytes_done.value = 0;
  progress_.files_done = 0;
  for (const auto& transfer : transfers_) {
    progress_.bytes_done.value += transfer->received();
    progress_.files_done += transfer->finished() ? 1 : 0;
  }
  observer_.progress(progress_);
}

Status Runner::run() {
  TRY(require_curl());
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS,
                    static_cast<long>(policy_.parallel));
  const auto open = [](const auto& transfer) { return !transfer->finished(); };
  while (std::any_of(transfers_.begin(), transfers_.end(), open)) {
    if (is_over(policy_) || (policy_.stopped && policy_.stopped())) {
      give_up(is_over(policy_) ? over() : Error{Errc::busy, 0, "was stopped"});
      break;
    }
    start_some();
    int active = 0;
    curl_multi_perform(multi_.get(), &active);
    collect();
    report(false);
    curl_multi_poll(multi_.get(), nullptr, 0, 100, nullptr);
  }
  report(true);
  if (first_) return tl::unexpected(std::move(*first_));
  for (auto& transfer : transfers_) TRY(transfer->take_status());
  return {};
}

}  // namespace

Status download(const std::vector<Download>& downloads, const Cache& cache,
                const DownloadPolicy& policy, const DownloadObserver& observer,
                const DownloadArrived& arrived) {
  return Runner(downloads, cache, policy, observer, arrived).run();
}

}  // namespace weir::builder
