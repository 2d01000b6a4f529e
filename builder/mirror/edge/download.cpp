#include "builder/mirror/edge/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "manifests/base/edge/unfinished.h"

namespace weir::builder {
namespace {

using Clock = std::chrono::steady_clock;

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;

// Cuts off a server that does not send enough within each span of the policy's patience, however it
// spreads the bytes; libcurl's own limit looks at the last seconds only, and is met by a trickle.
class Pace {
 public:
  explicit Pace(const DownloadPolicy& policy) : policy_(policy) {}

  void begin() {
    since_ = asked_ = Clock::now();
    then_ = 0;
    cut_off_ = false;
  }
  [[nodiscard]] bool cut_off() const { return cut_off_; }
  [[nodiscard]] std::string problem() const {
    return "sent less than " + print(least()) + " in " + std::to_string(policy_.patience.count()) +
           " s";
  }

  // libcurl asks about once a second, also while nothing comes; not 0 ends the transfer.
  static int on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
    return static_cast<Pace*>(self)->is_too_slow(received) ? 1 : 0;
  }

 private:
  [[nodiscard]] ByteCount least() const {
    return ByteCount{policy_.slowest.value * static_cast<std::uint64_t>(policy_.patience.count())};
  }
  bool is_too_slow(curl_off_t received) {
    const auto now = Clock::now();
    // Where this process did not come to look, the server is not to blame.
    const bool absent = now - asked_ > std::chrono::milliseconds(policy_.patience) / 2;
    asked_ = now;
    if (!absent && now - since_ < policy_.patience) return false;
    const auto came = static_cast<std::uint64_t>(received - then_);
    cut_off_ = !absent && came < least().value;
    since_ = now;
    then_ = received;
    return cut_off_;
  }

  const DownloadPolicy& policy_;
  Clock::time_point since_{}, asked_{};
  curl_off_t then_ = 0;
  bool cut_off_ = false;
};

void set_common(CURL* easy, const std::string& url, Pace& pace, char* problem) {
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 20L);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Pace::on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &pace);
  pace.begin();
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "weir-builder/" WEIR_VERSION);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem);
}

long response_code(CURL* easy) {
  long code = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

bool is_gone(long code) {
  return code == 404 || code == 410;
}
bool is_worth_retrying(long code) {
  return code >= 500 || code == 408 || code == 429;
}

/// One download through all of its attempts.
class Transfer {
 public:
  Transfer(const Download& download, const Cache& cache, const DownloadPolicy& policy)
      : download_(download), cache_(cache), policy_(policy) {}

  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] Clock::time_point not_before() const { return not_before_; }
  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] bool succeeded() const { return finished_ && status_.has_value(); }
  [[nodiscard]] Status take_status() { return std::move(status_); }

  /// Readies `easy()` for an attempt. False: it is finished, with an error.
  bool start();
  /// Judges the attempt that just ended.
  void end(CURLcode code);

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
  void retry(Error error);

  const Download& download_;
  const Cache& cache_;
  const DownloadPolicy& policy_;
  Pace pace_{policy_};
  Easy easy_{nullptr, curl_easy_cleanup};
  std::array<char, CURL_ERROR_SIZE> problem_{};
  Fd file_;
  std::string path_;
  Sha256 hash_;
  std::uint64_t received_ = 0;  // bytes in the partial file
  std::uint64_t resumed_at_ = 0;
  bool checked_answer_ = false;
  bool too_long_ = false;
  bool spoiled_ = false;  // one whole file already had other bytes
  int write_errno_ = 0;
  std::size_t url_ = 0;
  int attempts_ = 0;
  Clock::time_point not_before_{};
  bool finished_ = false;
  Status status_;
};

Status Transfer::open_partial() {
  path_ = cache_.partial_path(download_.digest);
  file_ = Fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file_.valid()) return fail_errno(Errc::io, errno, path_);
  struct stat info {
  }, there{};
  if (::fstat(file_.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(Errc::invalid_input, path_ + ": is not a file: remove it");
  }
  const bool mine = ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0 &&
                    ::stat(path_.c_str(), &there) == 0 && info.st_ino == there.st_ino;
  if (!mine) {
    // Another builder fetches the same file, or just finished it: take one of our own.
    TRY_ASSIGN(Unfinished own, make_unfinished_file(path_));
    path_ = std::move(own.path);
    file_ = std::move(own.fd);
    if (::fchmod(file_.get(), 0644) != 0) return fail_errno(Errc::io, errno, path_);
  }
  return reuse_partial();
}

// Hashes what an earlier run left behind.
Status Transfer::reuse_partial() {
  std::vector<std::uint8_t> piece(1 << 18);
  for (;;) {
    const ssize_t n =
        ::pread(file_.get(), piece.data(), piece.size(), static_cast<off_t>(received_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(Errc::io, errno, path_);
    if (n == 0) return {};
    hash_.update({piece.data(), static_cast<std::size_t>(n)});
    received_ += static_cast<std::uint64_t>(n);
    // Nothing of a full or longer file can be continued.
    if (received_ >= download_.size.value) return restart();
  }
}

Status Transfer::restart() {
  hash_ = Sha256();
  received_ = 0;
  if (::ftruncate(file_.get(), 0) != 0) return fail_errno(Errc::io, errno, path_);
  return {};
}

bool Transfer::start() {
  ++attempts_;
  if (!file_.valid()) {
    if (auto status = open_partial(); !status) {
      finish(std::move(status));
      return false;
    }
  }
  easy_.reset(curl_easy_init());
  if (!easy_) {
    finish(fail(Errc::exhausted, "no memory for a transfer"));
    return false;
  }
  problem_[0] = '\0';
  checked_answer_ = false;
  too_long_ = false;
  set_common(easy_.get(), download_.urls.at(url_), pace_, problem_.data());
  curl_easy_setopt(easy_.get(), CURLOPT_WRITEFUNCTION, &Transfer::on_data);
  curl_easy_setopt(easy_.get(), CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_.get(), CURLOPT_PRIVATE, this);
  resumed_at_ = received_;
  if (received_ > 0) {
    curl_easy_setopt(easy_.get(), CURLOPT_RANGE, (std::to_string(received_) + "-").c_str());
  }
  return true;
}

bool Transfer::receive(const char* data, std::size_t size) {
  if (!checked_answer_) {
    const long code = response_code(easy_.get());
    if (code != 200 && code != 206) return true;  // an error page: judged at the end
    if (code == 200 && received_ > 0 && !restart()) return false;
    checked_answer_ = true;
  }
  if (received_ + size > download_.size.value) {
    too_long_ = true;
    return false;
  }
  hash_.update(as_bytes({data, size}));
  while (size > 0) {
    const ssize_t n = ::pwrite(file_.get(), data, size, static_cast<off_t>(received_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      write_errno_ = errno;
      return false;
    }
    data += n;
    size -= static_cast<std::size_t>(n);
    received_ += static_cast<std::uint64_t>(n);
  }
  return true;
}

Status Transfer::keep() {
  if (::fsync(file_.get()) != 0) return fail_errno(Errc::io, errno, path_);
  const std::string blob = cache_.blob_path(download_.digest);
  if (::rename(path_.c_str(), blob.c_str()) != 0) return fail_errno(Errc::io, errno, blob);
  return {};
}

void Transfer::finish(Status status) {
  finished_ = true;
  if (!status) {
    status = tl::unexpected(std::move(status).error().in(download_.what));
    // Only the file under its plain name is continued by a later run.
    if (path_ != cache_.partial_path(download_.digest)) ::unlink(path_.c_str());
  }
  status_ = std::move(status);
  file_ = Fd();
}

void Transfer::retry(Error error) {
  if (attempts_ >= policy_.attempts) {
    finish(tl::unexpected(std::move(error).in(download_.urls[url_])));
    return;
  }
  not_before_ = Clock::now() + policy_.first_wait * (1 << std::min(attempts_ - 1, 6));
}

void Transfer::end(CURLcode code) {
  const long answer = response_code(easy_.get());
  const std::string said = problem_[0] != '\0' ? problem_.data() : curl_easy_strerror(code);
  easy_.reset();
  if (write_errno_ != 0) {
    const Errc kind = write_errno_ == ENOSPC || write_errno_ == EDQUOT ? Errc::exhausted : Errc::io;
    return finish(fail_errno(kind, write_errno_, path_));
  }
  if (code == CURLE_OK && is_gone(answer)) {
    if (++url_ < download_.urls.size()) {
      attempts_ = 0;
      return;
    }
    ::unlink(path_.c_str());
    return finish(fail(Errc::not_found, "the mirror does not have it"));
  }
  const bool whole = code == CURLE_OK && (answer == 200 || answer == 206) && checked_answer_ &&
                     received_ == download_.size.value;
  if (whole && std::move(hash_).finish() == download_.digest) return finish(keep());
  // A whole file of other bytes, one that is too long, or a range the server cannot continue: what
  // is here is worth nothing. It may be the fault of an old partial file, so try once from the
  // start.
  if (whole || too_long_ || answer == 416) {
    const bool fresh = resumed_at_ == 0;
    if (auto status = restart(); !status) return finish(std::move(status));
    if (fresh && spoiled_) {
      ::unlink(path_.c_str());
      return finish(
          fail(Errc::integrity, "the mirror serves other bytes than its signed index says (" +
                                    download_.urls[url_] + ")"));
    }
    spoiled_ = spoiled_ || fresh;
    return retry({Errc::integrity, 0, "other bytes than promised"});
  }
  if (pace_.cut_off()) return retry({Errc::timeout, 0, pace_.problem()});
  if (code == CURLE_OPERATION_TIMEDOUT) return retry({Errc::timeout, 0, said});
  if (code != CURLE_OK) return retry({Errc::io, 0, said});
  if (answer == 200 || answer == 206) return retry({Errc::io, 0, "was cut off"});
  Error error{Errc::io, 0, "the server answered " + std::to_string(answer)};
  if (is_worth_retrying(answer)) return retry(std::move(error));
  finish(tl::unexpected(std::move(error).in(download_.urls[url_])));
}

/// Runs transfers until all are finished.
class Runner {
 public:
  Runner(const std::vector<Download>& downloads, const Cache& cache, const DownloadPolicy& policy,
         const DownloadObserver& observer, const DownloadArrived& arrived)
      : policy_(policy), observer_(observer), arrived_(arrived) {
    for (const Download& download : downloads) {
      transfers_.push_back(std::make_unique<Transfer>(download, cache, policy));
      progress_.bytes_total.value += download.size.value;
    }
    progress_.files_total = downloads.size();
  }

  std::vector<Status> run();

 private:
  void start_some();
  void collect();
  void report(bool last);

  const DownloadPolicy& policy_;
  const DownloadObserver& observer_;
  const DownloadArrived& arrived_;
  std::vector<std::unique_ptr<Transfer>> transfers_;  // curl keeps their addresses
  Multi multi_{curl_multi_init(), curl_multi_cleanup};
  std::size_t running_ = 0;
  DownloadProgress progress_;
  Clock::time_point reported_{};
};

void Runner::start_some() {
  const auto now = Clock::now();
  for (auto& transfer : transfers_) {
    if (running_ >= policy_.parallel) return;
    if (transfer->finished() || transfer->easy() != nullptr || transfer->not_before() > now) {
      continue;
    }
    if (transfer->start() && curl_multi_add_handle(multi_.get(), transfer->easy()) == CURLM_OK) {
      ++running_;
    }
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
    transfer->end(code);
    if (!arrived_ || !transfer->succeeded()) continue;
    const auto is_it = [&](const auto& one) { return one.get() == transfer; };
    const auto at = std::find_if(transfers_.begin(), transfers_.end(), is_it);
    arrived_(static_cast<std::size_t>(at - transfers_.begin()));
  }
}

void Runner::report(bool last) {
  const auto now = Clock::now();
  if (!observer_ || (!last && now - reported_ < std::chrono::milliseconds(100))) return;
  reported_ = now;
  progress_.bytes_done.value = 0;
  progress_.files_done = 0;
  for (const auto& transfer : transfers_) {
    progress_.bytes_done.value += transfer->received();
    progress_.files_done += transfer->finished() ? 1 : 0;
  }
  observer_(progress_);
}

std::vector<Status> Runner::run() {
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS,
                    static_cast<long>(policy_.parallel));
  const auto open = [](const auto& transfer) { return !transfer->finished(); };
  while (std::any_of(transfers_.begin(), transfers_.end(), open)) {
    start_some();
    int active = 0;
    curl_multi_perform(multi_.get(), &active);
    collect();
    report(false);
    curl_multi_poll(multi_.get(), nullptr, 0, 100, nullptr);
  }
  report(true);
  std::vector<Status> out;
  for (auto& transfer : transfers_) out.push_back(transfer->take_status());
  return out;
}

}  // namespace

std::vector<Status> download(const std::vector<Download>& downloads, const Cache& cache,
                             const DownloadPolicy& policy, const DownloadObserver& observer,
                             const DownloadArrived& arrived) {
  return Runner(downloads, cache, policy, observer, arrived).run();
}

Result<std::string> download_text(const std::string& url, ByteCount limit,
                                  const DownloadPolicy& policy) {
  struct Sink {
    std::string text;
    std::uint64_t limit;
  };
  const auto on_data = +[](char* data, std::size_t, std::size_t size, void* pointer) {
    auto* sink = static_cast<Sink*>(pointer);
    if (sink->text.size() + size > sink->limit) return std::size_t{0};
    sink->text.append(data, size);
    return size;
  };
  Pace pace(policy);
  for (int attempt = 1;; ++attempt) {
    Sink sink{"", limit.value};
    std::array<char, CURL_ERROR_SIZE> problem{};
    const Easy easy(curl_easy_init(), curl_easy_cleanup);
    if (!easy) return fail(Errc::exhausted, "no memory for a transfer");
    set_common(easy.get(), url, pace, problem.data());
    curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &sink);
    const CURLcode code = curl_easy_perform(easy.get());
    const long answer = response_code(easy.get());
    if (code == CURLE_OK && answer == 200) return std::move(sink.text);
    if (code == CURLE_WRITE_ERROR) {
      return fail(Errc::exhausted, url + ": larger than " + print(limit));
    }
    if (code == CURLE_OK && is_gone(answer)) {
      return fail(Errc::not_found, url + ": the server does not have it");
    }
    if (attempt >= policy.attempts || (code == CURLE_OK && !is_worth_retrying(answer))) {
      if (code == CURLE_OK) {
        return fail(Errc::io, url + ": the server answered " + std::to_string(answer));
      }
      if (pace.cut_off()) return fail(Errc::timeout, url + ": " + pace.problem());
      return fail(code == CURLE_OPERATION_TIMEDOUT ? Errc::timeout : Errc::io,
                  url + ": " + (problem[0] != '\0' ? problem.data() : curl_easy_strerror(code)));
    }
    const auto wait = policy.first_wait * (1 << std::min(attempt - 1, 6));
    curl_multi_poll(Multi(curl_multi_init(), curl_multi_cleanup).get(), nullptr, 0,
                    static_cast<int>(wait.count()), nullptr);
  }
}

}  // namespace weir::builder
