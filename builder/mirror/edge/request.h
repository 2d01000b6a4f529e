#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "builder/mirror/address.h"
#include "builder/mirror/attempts.h"
#include "builder/mirror/edge/connections.h"
#include "builder/mirror/edge/download.h"
#include "builder/mirror/edge/pace.h"

namespace weir::builder {

/// One attempt to fetch a file from one address, through libcurl. Redirects are followed here, not
/// by libcurl, so that every server on the way has its own login, proxy and certificates.
class Request {
 public:
  /// write, owner  libcurl's write function, and what it and CURLINFO_PRIVATE get
  Request(const DownloadPolicy& policy, curl_write_callback write, void* owner)
      : policy_(policy), write_(write), owner_(owner) {}
  // libcurl keeps its address.
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// Readies `easy()`.
  ///
  /// from         the first byte that is wanted
  /// past_caches  proxies on the way are asked not to answer from memory
  /// errors       not_found, invalid_input: what is no file of this machine, or no URL; as
  ///              Connections::apply
  [[nodiscard]] Status open(const std::string& url, std::uint64_t from, bool past_caches);

  /// Null while nothing is on its way.
  [[nodiscard]] CURL* easy() const { return easy_.get(); }

  /// The server's answer: 200, 206, 404; of this machine's own files 200 and 206 only.
  [[nodiscard]] long answer() const;

  /// Whether the transfer that just ended was a redirect, and `easy()` is ready to follow it.
  [[nodiscard]] Result<bool> follow(CURLcode code);

  /// What a transfer that ended, without the promised bytes, comes to.
  struct Problem {
    Outcome outcome;
    Error why;
  };
  [[nodiscard]] Problem problem(CURLcode code) const;

  void close() { easy_.reset(); }

 private:
  using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
  using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

  static int on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t);
  [[nodiscard]] Status ready();
  [[nodiscard]] std::string in_words(CURLcode code) const;

  const DownloadPolicy& policy_;
  curl_write_callback write_;
  void* owner_;
  Pace pace_{policy_};
  Headers headers_{nullptr, curl_slist_free_all};
  Easy easy_{nullptr, curl_easy_cleanup};
  std::array<char, CURL_ERROR_SIZE> said_{};
  Address address_;
  std::optional<UsedProxy> proxy_{};
  std::uint64_t from_ = 0;
  bool past_caches_ = false;
  int redirects_ = 0;
};

/// What is said of a file that a server does not have.
[[nodiscard]] Error not_there();

/// Whether `policy.until` has come.
[[nodiscard]] bool is_over(const DownloadPolicy& policy);

/// What is said when it has.
[[nodiscard]] Error over();

/// The line that says that an attempt failed and another follows.
///
/// problem   what failed, with its address
/// url       where the next attempt goes
[[nodiscard]] std::string retry_line(const std::string& what, const Error& problem,
                                     const Attempts& attempts, const std::string& url);

/// How long an address that was asked before is left alone.
[[nodiscard]] std::chrono::milliseconds wait_before(const Attempts& attempts,
                                                    const DownloadPolicy& policy);

}  // namespace weir::builder
