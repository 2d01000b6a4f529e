#include "builder/mirror/edge/download_text.h"

#include <algorithm>
#include <utility>

#include "builder/mirror/edge/curl_on_demand.h"
#include "builder/mirror/edge/request.h"
#include "builder/mirror/web_page.h"

namespace weir::builder {
namespace {

using std::chrono::milliseconds;

/// One text on its way into memory.
class TextFetch {
 public:
  TextFetch(ByteCount limit, const DownloadPolicy& policy)
      : limit_(limit), request_(policy, &TextFetch::on_data, this) {}

  /// The whole text, or why this attempt did not bring it.
  tl::expected<std::string, Request::Problem> attempt(const std::string& url, bool past_caches);

 private:
  static std::size_t on_data(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<TextFetch*>(self)->receive(data, size) ? size : 0;
  }
  bool receive(const char* data, std::size_t size) {
    if (request_.answer() != 200) return true;  // an error page
    full_ = text_.size() + size > limit_.value;
    if (!full_) text_.append(data, size);
    return !full_;
  }

  ByteCount limit_;
  Request request_;
  std::string text_;
  bool full_ = false;
};

tl::unexpected<Request::Problem> problem(Outcome outcome, Error why) {
  return tl::unexpected(Request::Problem{outcome, std::move(why)});
}

tl::expected<std::string, Request::Problem> TextFetch::attempt(const std::string& url,
                                                               bool past_caches) {
  if (auto opened = request_.open(url, 0, past_caches); !opened) {
    if (opened.error().code == Errc::not_found) return problem(Outcome::gone, not_there());
    return problem(Outcome::refused, std::move(opened.error()));
  }
  CURLcode code{};
  Result<bool> followed = true;
  while (followed && *followed) {
    text_.clear();
    full_ = false;
    code = curl_easy_perform(request_.easy());
    followed = request_.follow(code);
  }
  if (!followed) return problem(Outcome::refused, std::move(followed.error()));
  if (full_) {
    return problem(Outcome::refused, {Errc::exhausted, 0, "larger than " + print(limit_)});
  }
  if (code != CURLE_OK || request_.answer() != 200) {
    return tl::unexpected(request_.problem(code));
  }
  if (const auto page = web_page(text_)) {
    return problem(Outcome::spoiled, {Errc::integrity, 0, page_in_place(*page)});
  }
  return std::move(text_);
}

void wait(milliseconds time, const DownloadPolicy& policy) {
  if (policy.until) {
    const auto left = *policy.until - std::chrono::steady_clock::now();
    time = std::min(time, std::chrono::duration_cast<milliseconds>(left));
  }
  const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> nothing(curl_multi_init(),
                                                                      curl_multi_cleanup);
  const auto some = std::max<milliseconds::rep>(time.count(), 0);
  curl_multi_poll(nothing.get(), nullptr, 0, static_cast<int>(some), nullptr);
}

}  // namespace

Result<DownloadedText> download_text(const std::string& what, const std::vector<std::string>& urls,
                                     ByteCount limit, const DownloadPolicy& policy,
                                     const DownloadObserver& observer,
                                     const std::function<Status(const DownloadedText&)>& sound) {
  TRY(require_curl());
  Attempts attempts(urls.size(), policy.attempts);
  for (;;) {
    const std::string& url = urls.at(attempts.address());
    auto text = TextFetch(limit, policy).attempt(url, attempts.spoiled());
    Request::Problem failed{Outcome::spoiled, {}};
    if (text) {
      DownloadedText out{std::move(*text), attempts.address()};
      Status judged = sound ? sound(out) : Status();
      if (judged) return out;
      failed.why = std::move(judged.error());
    } else {
      failed = std::move(text.error());
    }
    if (is_over(policy)) return tl::unexpected(over().in(what));
    failed.why = std::move(failed.why).in(url);
    const Error why = failed.why;
    if (!attempts.after(failed.outcome, std::move(failed.why))) {
      return tl::unexpected(attempts.problem().in(what));
    }
    if (observer.notice && failed.outcome != Outcome::gone) {
      observer.notice(retry_line(what, why, attempts, urls[attempts.address()]));
    }
    wait(wait_before(attempts, policy), policy);
  }
}

}  // namespace weir::builder
