#include "deployer/node/edge/https_server.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/version.hpp>
#include <list>
#include <optional>

#include "deployer/node_client/tls_key.h"

namespace weir::node {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kLongestHead = 8192;

asio::ip::address address_of(const IpAddress& address) {
  const std::string_view raw = address.raw();
  if (address.is_v4()) {
    asio::ip::address_v4::bytes_type bytes{};
    std::copy(raw.begin(), raw.end(), bytes.begin());
    return asio::ip::address_v4(bytes);
  }
  asio::ip::address_v6::bytes_type bytes{};
  std::copy(raw.begin(), raw.end(), bytes.begin());
  return asio::ip::address_v6(bytes);
}

/// Whether the certificate a client showed carries the pinned key. That the client holds the key is
/// what TLS itself proves (CertificateVerify).
int has_pinned_key(X509_STORE_CTX* store, void* pin) {
  const X509* certificate = X509_STORE_CTX_get0_cert(store);
  unsigned char* der = nullptr;
  const int size =
      certificate == nullptr ? 0 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return 0;
  const Digest seen = Digest::of({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  if (seen == *static_cast<const Digest*>(pin)) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

Status prepare_tls(asio::ssl::context& context, const ServerOptions& options, Digest& pin) {
  TRY_ASSIGN(const std::string certificate, node_client::certificate_for(options.tls_private_key));
  error_code bad_certificate, bad_key;
  context.use_certificate(asio::buffer(certificate), asio::ssl::context::pem, bad_certificate);
  context.use_private_key(asio::buffer(options.tls_private_key), asio::ssl::context::pem, bad_key);
  SSL_CTX* raw = context.native_handle();
  if (bad_certificate || bad_key || SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_num_tickets(raw, 0) != 1) {
    return fail(Errc::bug, "OpenSSL refuses the node's key");
  }
  // Every connection proves its key anew: a resumed session would not.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(raw, &has_pinned_key, &pin);
  return {};
}

}  // namespace

struct HttpsServer::State {
  class Connection;

  ServerOptions options;
  Answer answer;
  std::function<void()> end_node;
  Digest pin;
  std::size_t proven = 0;
  std::list<Connection*> unproven;  ///< the oldest first
  asio::io_context io{1};
  asio::ssl::context tls{asio::ssl::context::tls_server};
  tcp::acceptor acceptor{io};

  State(const ServerOptions& with, Answer to, std::function<void()> end)
      : options(with), answer(std::move(to)), end_node(std::move(end)), pin(with.client_pin) {}

  Status listen();
  void accept();
  void take(tcp::socket socket);
};

/// One client; lives as long as an operation of it is under way.
class HttpsServer::State::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(State& server, tcp::socket socket)
      : server_(server),
        stream_(beast::tcp_stream(std::move(socket)), server.tls),
        place_(server.unproven.insert(server.unproven.end(), this)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    leave_queue();
    if (proven_) --server_.proven;
  }

  void start() {
    limit(server_.options.handshake_timeout);
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = shared_from_this()](error_code error) {
                              if (!error) self->on_proven();
                            });
  }

  /// Makes way for another one that is to prove its key.
  void evict() {
    leave_queue();
    beast::get_lowest_layer(stream_).close();
  }

 private:
  void leave_queue() {
    if (place_) server_.unproven.erase(*place_);
    place_.reset();
  }

  void on_proven() {
    // Evicted in the moment in which the handshake was done.
    if (!place_ || server_.proven >= server_.options.most_connections) return;
    leave_queue();
    proven_ = true;
    ++server_.proven;
    read();
  }

  void limit(std::chrono::seconds patience) {
    beast::get_lowest_layer(stream_).expires_after(patience);
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(kLongestHead);
    parser_->body_limit(server_.options.longest_body);
    limit(server_.options.silence_timeout);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->on_read(error); });
  }

  void on_read(error_code error) {
    if (error == http::error::body_limit || error == http::error::header_limit) {
      return write(413, R"({"code":"exhausted","message":"the request is too long"})",
                   "application/json", false, false);
    }
    if (error) return;  // gone, silent for too long, or not HTTP
    const auto& request = parser_->get();
    const auto method = request.method_string();
    const auto target = request.target();
    const ApiResponse response = server_.answer({.method = {method.data(), method.size()},
                                                 .target = {target.data(), target.size()},
                                                 .body = request.body()});
    write(response.status, response.body, response.content_type, request.keep_alive(),
          response.ends_node);
  }

  void write(int status, std::string body, std::string_view content_type, bool keep,
             bool ends_node) {
    response_ = {};
    response_.version(11);
    response_.result(static_cast<unsigned>(status));
    response_.set(http::field::content_type,
                  boost::string_view(content_type.data(), content_type.size()));
    response_.keep_alive(keep);
    response_.body() = std::move(body);
    response_.prepare_payload();
    limit(server_.options.silence_timeout);
    http::async_write(stream_, response_,
                      [self = shared_from_this(), keep, ends_node](error_code error, std::size_t) {
                        if (ends_node) self->server_.end_node();
                        if (error) return;
                        keep ? self->read() : self->say_goodbye();
                      });
  }

  void say_goodbye() {
    limit(server_.options.handshake_timeout);
    stream_.async_shutdown([self = shared_from_this()](error_code) {});
  }

  State& server_;
  beast::ssl_stream<beast::tcp_stream> stream_;
  std::optional<std::list<Connection*>::iterator> place_;  ///< among the unproven
  bool proven_ = false;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

Status HttpsServer::State::listen() {
  const tcp::endpoint endpoint(address_of(options.listen.address), options.listen.port);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error &&
      ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_BINDTODEVICE, options.interface.data(),
                   static_cast<socklen_t>(options.interface.size())) != 0) {
    error = error_code(errno, boost::system::system_category());
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail_errno(Errc::io, error.value(),
                      "listen on " + options.listen.string() + " at " + options.interface);
  }
  return {};
}

void HttpsServer::State::accept() {
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) take(std::move(socket));
    accept();
  });
}

void HttpsServer::State::take(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  if (unproven.size() >= options.most_unproven) unproven.front()->evict();
  std::make_shared<Connection>(*this, std::move(socket))->start();
}

HttpsServer::HttpsServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpsServer::HttpsServer(HttpsServer&&) noexcept = default;
HttpsServer& HttpsServer::operator=(HttpsServer&&) noexcept = default;
HttpsServer::~HttpsServer() = default;

Result<HttpsServer> HttpsServer::open(const ServerOptions& options, Answer answer,
                                      std::function<void()> end_node) {
  try {
    auto state = std::make_unique<State>(options, std::move(answer), std::move(end_node));
    TRY(prepare_tls(state->tls, options, state->pin));
    TRY(state->listen());
    return HttpsServer(std::move(state));
  } catch (const boost::system::system_error& error) {
    return fail(Errc::io, std::string("HTTPS server: ") + error.what());
  }
}

std::uint16_t HttpsServer::port() const {
  error_code error;
  return state_->acceptor.local_endpoint(error).port();
}

Status HttpsServer::run() {
  try {
    state_->accept();
    state_->io.run();
    return {};
  } catch (const std::exception& error) {
    return fail(Errc::io, std::string("HTTPS server: ") + error.what());
  }
}

void HttpsServer::stop() {
  state_->io.stop();
}

}  // namespace weir::node
