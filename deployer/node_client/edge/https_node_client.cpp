#include "deployer/node_client/edge/https_node_client.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>

#include "deployer/node_client/edge/make_tls_key.h"
#include "deployer/node_client/tls_key.h"
#include "manifests/messages/peer_dump_reader.h"

namespace weir::node_client {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Of every call as much as an honest node says, and not much more: a node may not be honest.
constexpr ByteCount kLongestAcknowledgement{64U << 10};
constexpr ByteCount kLongestIdentity{1U << 20};
constexpr ByteCount kLongestDump = manifests::kLargestPeerList;
constexpr ByteCount kLongestText{8U << 20};

struct EasyFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

void start_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

nanoseconds wall_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

Errc errc_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Errc::bug); ++i) {
    if (name_of(static_cast<Errc>(i)) == name) return static_cast<Errc>(i);
  }
  return Errc::io;
}

struct Answer {
  std::string text;
  ByteCount limit;
};

size_t take_answer(char* data, size_t, size_t size, void* into) {
  auto* answer = static_cast<Answer*>(into);
  if (answer->text.size() + size > answer->limit.value) return 0;
  answer->text.append(data, size);
  return size;
}

}  // namespace

struct HttpsNodeClient::State {
  NodeAddress address;
  network::NetworkNamespace where;
  milliseconds timeout;
  const std::atomic<bool>* ending = nullptr;  ///< calls end early once it is set
  TlsPrivateKey key;
  TlsCertificate certificate;
  std::string base_url, pin;
  std::unique_ptr<CURL, EasyFree> curl;
  std::unique_ptr<curl_slist, ListFree> headers;
  std::array<char, CURL_ERROR_SIZE> reason{};
  Error socket_error;  ///< why no socket could be made, where that was the reason

  State(NodeAddress to, network::NetworkNamespace in, milliseconds limit)
      : address(std::move(to)), where(std::move(in)), timeout(limit) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() = default;

  Status prepare_handle();
  Result<std::string> call(const char* method, std::string_view path, const std::string* body,
                           ByteCount limit);
  /// A call whose answer says no more than that it was done.
  Status tell(const char* method, std::string_view path, const std::string& body) {
    TRY(call(method, path, &body, kLongestAcknowledgement));
    return {};
  }
  /// A call whose answer `parse` has to understand, within the same time.
  template <class Parse>
  auto ask(std::string_view path, ByteCount limit, Parse parse)
      -> decltype(parse(std::string_view(), StillWanted())) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    TRY_ASSIGN(const std::string answer, call("GET", path, nullptr, limit));
    const auto in_time = [&] { return std::chrono::steady_clock::now() <= deadline; };
    auto parsed = parse(answer, [&] { return in_time() && !given_up(); });
    if (!in_time()) return tl::unexpected(Error{Errc::timeout, 0, late()}.in(named(path)));
    if (!parsed && given_up()) return tl::unexpected(nobody_waits().in(named(path)));
    if (!parsed) return tl::unexpected(std::move(parsed).error().in(named(path)));
    return parsed;
  }
  [[nodiscard]] bool given_up() const { return ending != nullptr && *ending; }
  [[nodiscard]] static Error nobody_waits() {
    return {Errc::busy, 0, "nobody waits for its answer any more"};
  }
  [[nodiscard]] std::string late() const {
    return "no answer within " + std::to_string(timeout.count()) + " ms";
  }
  [[nodiscard]] Error failure(CURLcode code, ByteCount limit) const;
  [[nodiscard]] std::string named(std::string_view path) const {
    return "node " + address.node.string() + ": " + std::string(path.substr(4));
  }

  static int go_on(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const State*>(self)->given_up() ? 1 : 0;
  }

  // libcurl would read a key from text, by ways that leave copies of it.
  static CURLcode bring_key(CURL*, void* context, void* self) {
    const auto* state = static_cast<const State*>(self);
    auto* to = static_cast<SSL_CTX*>(context);
    const bool brought = SSL_CTX_use_certificate(to, state->certificate.get()) == 1 &&
                         SSL_CTX_use_PrivateKey(to, state->key.get()) == 1;
    return brought ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
  }

  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* to) {
    auto* state = static_cast<State*>(self);
    auto fd = state->where.socket(to->family, to->socktype, to->protocol);
    if (!fd) {
      state->socket_error = fd.error();
      return CURL_SOCKET_BAD;
    }
    return fd->release();
  }
};

Status HttpsNodeClient::State::prepare_handle() {
  start_curl_once();
  curl.reset(curl_easy_init());
  headers.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
  // Waiting for "100 Continue" would cost a second with every large diff.
  if (headers) curl_slist_append(headers.get(), "Expect:");
  if (!curl || !headers) return fail(Errc::exhausted, "libcurl: out of memory");

  CURL* handle = curl.get();
  CURLcode bad = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    const CURLcode code = curl_easy_setopt(handle, option, value);
    if (bad == CURLE_OK) bad = code;
  };
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_PROXY, "");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
  // The pin is the check: certificates here have no issuer, name or date that means anything.
  set(CURLOPT_SSL_VERIFYPEER, 0L);
  set(CURLOPT_SSL_VERIFYHOST, 0L);
  set(CURLOPT_PINNEDPUBLICKEY, pin.c_str());
  set(CURLOPT_SSL_CTX_FUNCTION, &State::bring_key);
  set(CURLOPT_SSL_CTX_DATA, static_cast<void*>(this));
  set(CURLOPT_OPENSOCKETFUNCTION, &State::open_socket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &State::go_on);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, reason.data());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_WRITEFUNCTION, &take_answer);
  if (bad != CURLE_OK) {
    return fail(Errc::bug, std::string("libcurl lacks what is needed: ") + curl_easy_strerror(bad));
  }
  return {};
}

Error HttpsNodeClient::State::failure(CURLcode code, ByteCount limit) const {
  const std::string text = reason[0] != '\0' ? reason.data() : curl_easy_strerror(code);
  if (!socket_error.message.empty()) return socket_error;
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Error{Errc::timeout, 0, late()};
  }
  if (code == CURLE_ABORTED_BY_CALLBACK) return nobody_waits();
  if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH) {
    return Error{Errc::unauthorized, 0,
                 "its TLS key is not the one it was started with (expected " +
                     address.server_pin.string() + ")"};
  }
  // With TLS 1.3 a refused client learns it from an alert when it reads for the first time.
  if (text.find(" alert ") != std::string::npos) {
    return Error{Errc::unauthorized, 0, "refused our TLS key (" + text + ")"};
  }
  if (code == CURLE_WRITE_ERROR) {
    return Error{Errc::exhausted, 0, "its answer is longer than " + print(limit)};
  }
  return Error{Errc::io, 0, text};
}

Result<std::string> HttpsNodeClient::State::call(const char* method, std::string_view path,
                                                 const std::string* body, ByteCount limit) {
  CURL* handle = curl.get();
  const std::string url = base_url + std::string(path);
  Answer answer{{}, limit};
  reason[0] = '\0';
  socket_error.message.clear();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(timeout.count())));
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer);
  if (body != nullptr) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body->data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
  } else {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method);
  const CURLcode code = curl_easy_perform(handle);
  if (code != CURLE_OK) return tl::unexpected(failure(code, limit).in(named(path)));
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (status == 200) return std::move(answer.text);
  if (const auto refusal = manifests::parse_api_error(answer.text)) {
    return tl::unexpected(Error{errc_named(refusal->code), 0, refusal->message}.in(named(path)));
  }
  return tl::unexpected(
      Error{Errc::io, 0, "HTTP status " + std::to_string(status)}.in(named(path)));
}

HttpsNodeClient::HttpsNodeClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpsNodeClient::HttpsNodeClient(HttpsNodeClient&&) noexcept = default;
HttpsNodeClient& HttpsNodeClient::operator=(HttpsNodeClient&&) noexcept = default;
HttpsNodeClient::~HttpsNodeClient() = default;

Result<HttpsNodeClient> HttpsNodeClient::open(NodeAddress address, network::NetworkNamespace where,
                                              milliseconds timeout) {
  auto state = std::make_unique<State>(std::move(address), std::move(where), timeout);
  TRY_ASSIGN(state->key, read_tls_key_file(state->address.client_key_path));
  TRY_ASSIGN(state->certificate, certificate_of(state->key));
  const Endpoint endpoint{state->address.address, manifests::kNodeApiPort};
  state->base_url = "https://" + endpoint.string();
  state->pin = "sha256//" + base64_of(state->address.server_pin.raw());
  TRY(state->prepare_handle());
  return HttpsNodeClient(std::move(state));
}

void HttpsNodeClient::end_when(const std::atomic<bool>& flag) {
  state_->ending = &flag;
}

void HttpsNodeClient::set_timeout(milliseconds timeout) {
  state_->timeout = timeout;
}

Result<manifests::NodeIdentity> HttpsNodeClient::identity() {
  // Of 1 MiB and 20,000 values at most: understood sooner than anybody would ask.
  TRY_ASSIGN(auto identity, state_->ask("/v1/identity", kLongestIdentity,
                                        [](std::string_view answer, const StillWanted&) {
                                          return manifests::parse_node_identity(answer);
                                        }));
  if (identity.node != state_->address.node) {
    return fail(Errc::integrity,
                state_->named("/v1/identity") + ": it says it is node " + identity.node.string());
  }
  return identity;
}

Result<std::chrono::microseconds> HttpsNodeClient::clock_offset(int samples) {
  TRY(identity());  // so that no sample pays for the connection
  nanoseconds shortest = nanoseconds::max(), offset{};
  for (int i = 0; i < samples; ++i) {
    const nanoseconds before = wall_clock();
    TRY_ASSIGN(const auto seen, identity());
    const nanoseconds after = wall_clock();
    if (after - before >= shortest) continue;
    shortest = after - before;
    offset = nanoseconds(seen.clock_unix_ns) - (before + (after - before) / 2);
  }
  return std::chrono::duration_cast<std::chrono::microseconds>(offset);
}

Status HttpsNodeClient::set_clock(nanoseconds unix_time_on_arrival) {
  return state_->tell("PUT", "/v1/clock",
                      print(manifests::ClockSetting{unix_time_on_arrival.count()}));
}

Status HttpsNodeClient::put_private_key(const manifests::SealedPrivateKey& key) {
  return state_->tell("PUT", "/v1/private-key", print(key));
}

Result<manifests::PeerDump> HttpsNodeClient::peers() {
  return state_->ask("/v1/peers", kLongestDump, &manifests::parse_wanted_peer_dump);
}

Status HttpsNodeClient::apply(const manifests::PeerDiff& diff) {
  return state_->tell("POST", "/v1/peers", print(diff));
}

Status HttpsNodeClient::prepare(const manifests::PrepareRequest& request) {
  return state_->tell("POST", "/v1/prepare", print(request));
}

Status HttpsNodeClient::commit(const manifests::PeerSelection& peers) {
  return state_->tell("POST", "/v1/commit", print(peers));
}

Status HttpsNodeClient::give_up(const manifests::PeerSelection& peers) {
  return state_->tell("POST", "/v1/give-up", print(peers));
}

Status HttpsNodeClient::drain() {
  return state_->tell("POST", "/v1/drain", "{}");
}

Result<std::string> HttpsNodeClient::logs() {
  return state_->call("GET", "/v1/logs", nullptr, kLongestText);
}

Result<std::vector<manifests::ServiceReport>> HttpsNodeClient::services() {
  // Of 20,000 values at most, as an identity.
  auto services = state_->ask("/v1/services", manifests::kLargestServices,
                              [](std::string_view answer, const StillWanted&) {
                                return manifests::parse_service_reports(answer);
                              });
  if (!services && services.error().code == Errc::not_found) {
    return std::vector<manifests::ServiceReport>();
  }
  return services;
}

Status HttpsNodeClient::put_file(const manifests::SealedFile& file) {
  return state_->tell("PUT", "/v1/file", print(file));
}

Result<std::string> HttpsNodeClient::tool_dump() {
  return state_->call("GET", "/v1/tool-dump", nullptr, kLongestText);
}

Status HttpsNodeClient::power_off() {
  return state_->tell("POST", "/v1/power-off", "{}");
}

}  // namespace weir::node_client
