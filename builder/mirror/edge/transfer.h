#pragma once

#include <chrono>
#include <string>

#include "builder/mirror/attempts.h"
#include "builder/mirror/edge/request.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {

/// One file of known content on its way into the cache, through all of its attempts.
class Transfer {
 public:
  using Clock = std::chrono::steady_clock;

  Transfer(const Download& download, const Cache& cache, const DownloadPolicy& policy,
           const DownloadObserver& observer)
      : download_(download),
        cache_(cache),
        policy_(policy),
        observer_(observer),
        attempts_(download.urls.size(), policy.attempts) {}

  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] Clock::time_point not_before() const { return not_before_; }
  [[nodiscard]] CURL* easy() const { return request_.easy(); }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] bool succeeded() const { return finished_ && status_.has_value(); }
  [[nodiscard]] Status take_status() { return std::move(status_); }

  /// Readies `easy()` for an attempt. False: there is none now, or it is finished, with an error.
  bool start();
  /// Judges what just ended. True: `easy()` goes on elsewhere, after a redirect.
  bool end(CURLcode code);
  /// Ends it, however far it is.
  void give_up(Error why);

 private:
  static std::size_t on_data(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Transfer*>(self)->receive(data, size) ? size : 0;
  }
  bool receive(const char* data, std::size_t size);
  Status open_partial();
  Status reuse_partial();
  Status restart();
  Status keep();
  void finish(Status status);
  void after(Outcome outcome, Error why);
  void spoiled();

  const Download& download_;
  const Cache& cache_;
  const DownloadPolicy& policy_;
  const DownloadObserver& observer_;
  Attempts attempts_;
  Request request_{policy_, &Transfer::on_data, this};
  Fd file_;
  std::string path_;
  Sha256 hash_;
  std::uint64_t received_ = 0;  // bytes in the partial file
  std::uint64_t resumed_at_ = 0;
  std::string head_;  // of a file that began with this attempt
  bool checked_answer_ = false;
  bool too_long_ = false;
  int write_errno_ = 0;
  Clock::time_point not_before_{};
  bool finished_ = false;
  Status status_;
};

}  // namespace weir::builder
