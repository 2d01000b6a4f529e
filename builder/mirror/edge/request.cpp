#include "builder/mirror/edge/request.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "builder/mirror/edge/connections.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

constexpr int kMaxRedirects = 5;

bool is_redirect(long answer) {
  return answer == 301 || answer == 302 || answer == 303 || answer == 307 || answer == 308;
}
bool is_gone(long answer) {
  return answer == 404 || answer == 410;
}
bool is_worth_retrying(long answer) {
  return answer >= 500 || answer == 408 || answer == 425 || answer == 429;
}

// What libcurl would wait for, or read as another thing.
Status check_local(const Address& address) {
  struct stat info {};
  if (::stat(decode_path(address.path).c_str(), &info) != 0) {
    return fail_errno(errno == ENOENT || errno == ENOTDIR ? Errc::not_found : Errc::io, errno,
                      print(address));
  }
  if (S_ISREG(info.st_mode)) return {};
  return fail(Errc::invalid_input, print(address) + ": is not a file");
}

}  // namespace

Status Request::open(const std::string& url, std::uint64_t from, bool past_caches) {
  TRY_ASSIGN(address_, parse_address(url));
  if (!address_.is_spoken()) {
    return fail(Errc::invalid_input,
                print(address_) + ": only http, https, file and copy are spoken");
  }
  if (address_.is_local()) TRY(check_local(address_));
  from_ = from;
  past_caches_ = past_caches;
  redirects_ = 0;
  return ready();
}

Status Request::ready() {
  easy_.reset(curl_easy_init());
  if (!easy_) return fail(Errc::exhausted, "no memory for a transfer");
  CURL* easy = easy_.get();
  said_[0] = '\0';
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, said_.data());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, static_cast<long>(policy_.connect.count()));
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Request::on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "weir-builder/" WEIR_VERSION);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, owner_);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, owner_);
  if (from_ > 0) curl_easy_setopt(easy, CURLOPT_RANGE, (std::to_string(from_) + "-").c_str());
  if (past_caches_ && !address_.is_local()) {
    if (!headers_) headers_.reset(curl_slist_append(nullptr, "Cache-Control: no-cache"));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  }
  const Connections nothing_known;
  const Connections& known = policy_.connections ? *policy_.connections : nothing_known;
  TRY_ASSIGN(proxy_, known.apply(easy, address_));
  pace_.begin();
  return {};
}

// libcurl asks about once a second, also while nothing comes; not 0 ends the transfer.
int Request::on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
  auto* request = static_cast<Request*>(self);
  if (is_over(request->policy_)) return 1;
  return request->pace_.is_too_slow(static_cast<std::uint64_t>(received)) ? 1 : 0;
}

long Request::answer() const {
  if (address_.is_local()) return from_ > 0 ? 206 : 200;
  long out = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &out);
  return out;
}

Result<bool> Request::follow(CURLcode code) {
  if (code != CURLE_OK || !is_redirect(answer())) return false;
  const char* target = nullptr;
  curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &target);
  if (target == nullptr) return false;
  TRY_ASSIGN_IN(Address next, parse_address(target), "redirect");
  // As for apt: never to files, and never out of what is encrypted.
  const bool leads_out = next.scheme != "https" && address_.scheme == "https";
  if ((next.scheme != "http" && next.scheme != "https") || leads_out) {
    return fail(Errc::invalid_input, "redirects to " + print(next) + ", which is not followed");
  }
  if (++redirects_ > kMaxRedirects) {
    return fail(Errc::invalid_input, "redirects more than " + std::to_string(kMaxRedirects) +
                                         " times, last to " + print(next));
  }
  address_ = std::move(next);
  TRY(ready());
  return true;
}

// What happened; libcurl's own words stand in brackets behind it.
std::string Request::in_words(CURLcode code) const {
  const std::string theirs = said_[0] != '\0' ? said_.data() : curl_easy_strerror(code);
  // no_proxy may have kept libcurl from it; whom it could not reach it names.
  const bool at_proxy = proxy_ && theirs.find(proxy_->host) != std::string::npos;
  const std::string server = at_proxy ? proxy_->name : "the server";
  std::string out;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      out = "no address is known for " + address_.host;
      break;
    case CURLE_COULDNT_RESOLVE_PROXY:
      out = "no address is known for " + (proxy_ ? proxy_->name : "the proxy");
      break;
    case CURLE_COULDNT_CONNECT:
      out = server + " cannot be reached";
      break;
    case CURLE_OPERATION_TIMEDOUT:
      out = server + " does not answer";
      break;
    case CURLE_UNSUPPORTED_PROTOCOL:  // "Received HTTP/0.9 when not allowed"
    case CURLE_WEIRD_SERVER_REPLY:
      out = "what answers there is no web server";
      break;
    case CURLE_GOT_NOTHING:
      out = "the server ended the connection without an answer";
      break;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      out = "the connection broke off";
      break;
    case CURLE_SSL_CONNECT_ERROR:
      out = "no encrypted connection came about";
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
      out = "the server's certificate is not trusted here";
      break;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CRL_BADFILE:
      out = "a certificate that apt.conf names cannot be used";
      break;
    case CURLE_PROXY:
      out = (proxy_ ? proxy_->name : "the proxy") + " does not let it through";
      break;
    case CURLE_FILE_COULDNT_READ_FILE:
      out = "it cannot be read";
      break;
    case CURLE_URL_MALFORMAT:
      out = "this is no address";
      break;
    case CURLE_OUT_OF_MEMORY:
      out = "there is no memory for it";
      break;
    default:
      out = "the transfer failed";
  }
  const bool through =
      proxy_ && !at_proxy && code != CURLE_PROXY && code != CURLE_COULDNT_RESOLVE_PROXY;
  return out + (through ? ", through " + proxy_->name : "") + " [" + theirs + "]";
}

Request::Problem Request::problem(CURLcode code) const {
  const auto is = [](Outcome outcome, Errc kind, std::string message) {
    return Problem{outcome, Error{kind, 0, std::move(message)}};
  };
  if (is_over(policy_)) return {Outcome::refused, over()};
  if (pace_.cut_off()) return is(Outcome::broken, Errc::timeout, pace_.problem());
  const std::string said = in_words(code);
  switch (code) {
    case CURLE_OK:
      break;
    case CURLE_OPERATION_TIMEDOUT:
      return is(Outcome::broken, Errc::timeout, said);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CRL_BADFILE:
      return is(
          Outcome::refused, Errc::unauthorized,
          said + " (a certificate authority of your own: Acquire::https::CAInfo in apt.conf)");
    case CURLE_URL_MALFORMAT:
      return is(Outcome::refused, Errc::invalid_input, said);
    case CURLE_FILE_COULDNT_READ_FILE:
      return is(Outcome::refused, Errc::io, said);
    default:
      return is(Outcome::broken, Errc::io, said);
  }
  const long answer = this->answer();
  if (is_gone(answer)) return {Outcome::gone, not_there()};
  if (answer == 200 || answer == 206) return is(Outcome::broken, Errc::io, "was cut off");
  const std::string number = "the server answered " + std::to_string(answer);
  if (answer == 401) {
    const bool known = policy_.connections && policy_.connections->has_login(address_);
    return is(Outcome::refused, Errc::unauthorized,
              number + (known ? ": it does not take the login that is known for it"
                              : ": it wants a login, and apt's auth.conf has none for it"));
  }
  if (answer == 407) {
    return is(Outcome::refused, Errc::unauthorized,
              number + ": " + (proxy_ ? proxy_->name : "the proxy") + " wants another login");
  }
  return is(is_worth_retrying(answer) ? Outcome::broken : Outcome::refused, Errc::io, number);
}

Error not_there() {
  return {Errc::not_found, 0, "the mirror does not have it"};
}

bool is_over(const DownloadPolicy& policy) {
  return policy.until && std::chrono::steady_clock::now() >= *policy.until;
}

Error over() {
  return {Errc::timeout, 0, "was not fetched in the time that --fetch-within allows"};
}

std::string retry_line(const std::string& what, const Error& problem, const Attempts& attempts,
                       const std::string& url) {
  return what + ": " + problem.message + "; trying " + url + " (" +
         std::to_string(attempts.number()) + " of " + std::to_string(attempts.each()) + ")";
}

std::chrono::milliseconds wait_before(const Attempts& attempts, const DownloadPolicy& policy) {
  if (attempts.number() == 1) return std::chrono::milliseconds(0);
  return policy.first_wait * (1 << std::min(attempts.number() - 2, 6));
}

}  // namespace weir::builder
