#include "deployer/node/edge/https_server.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "deployer/node_client/edge/https_node_client.h"
#include "deployer/node_client/edge/make_tls_key.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"
#include "tests/patience.h"

namespace weir::node {
namespace {

using namespace std::chrono_literals;
using node_client::TlsKey;

/// A server on a loopback address of its own, on the port that clients expect, with an answer that
/// counts what gets through.
class Served {
 public:
  explicit Served(const ServerOptions& options) : listen_(options.listen) {
    auto server = HttpsServer::open(
        options, [this](const ApiRequest& request) { return answer(request); },
        [this] { ended = true; });
    REQUIRE_MESSAGE(server.has_value(), (server ? "" : server.error().message));
    server_.emplace(*std::move(server));
    thread_ = std::thread([this] { status_ = server_->run(); });
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served() {
    server_->stop();
    thread_.join();
  }

  std::atomic<int> requests = 0;
  std::atomic<bool> ended = false;

 private:
  ApiResponse answer(const ApiRequest& request) {
    ++requests;
    if (request.target == "/v1/logs") return {.content_type = "text/plain", .body = "a line\n"};
    if (request.target == "/v1/commit") {
      return {.status = 409, .body = R"({"code":"busy","message":"not now"})"};
    }
    if (request.target == "/v1/peers") {
      const std::string key = PublicKey::from_raw({1}).string();
      return {.body = R"({"device_key":")" + key + R"(","clock_unix_ns":1,"peers":[]})"};
    }
    // As a node that is not honest: far more than a call has to say.
    if (request.target == "/v1/give-up") return {.body = std::string(1 << 20, ' ') + "{}"};
    // As an agent of a version that has no such call.
    if (request.target == "/v1/services") {
      return {.status = 404, .body = R"({"code":"not found","message":"no such call"})"};
    }
    return {.body = "{}", .ends_node = request.target == "/v1/power-off"};
  }

  Endpoint listen_;
  std::optional<HttpsServer> server_;
  std::thread thread_;
  Status status_;
};

struct Keys {
  TlsKey node = node_client::make_tls_key().value();
  TlsKey deployer = node_client::make_tls_key().value();
  TlsKey stranger = node_client::make_tls_key().value();
  std::string folder;

  Keys() {
    std::string pattern = "/tmp/weir-node-test-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    for (const auto& [name, key] : {std::pair{"deployer", &deployer}, {"stranger", &stranger}}) {
      REQUIRE(write_file(path(name, "key"), key->private_key_pem, 0600).has_value());
      REQUIRE(write_file(path(name, "crt"), *node_client::certificate_for(key->private_key_pem))
                  .has_value());
    }
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  ~Keys() {
    for (const char* name : {"deployer", "stranger"}) {
      for (const char* kind : {"key", "crt"}) ::unlink(path(name, kind).c_str());
    }
    ::rmdir(folder.c_str());
  }
  [[nodiscard]] std::string path(const std::string& name, const std::string& kind) const {
    return folder + "/" + name + "." + kind;
  }
};

/// 127.x.y.z from the process: tests may run beside each other.
IpAddress own_address() {
  const auto pid = static_cast<std::uint32_t>(::getpid());
  return IpAddress::v4({127, static_cast<std::uint8_t>(91 + (pid >> 16 & 0x0f)),
                        static_cast<std::uint8_t>(pid >> 8), static_cast<std::uint8_t>(pid | 1)});
}

ServerOptions options_of(const Keys& keys) {
  return {.listen = {own_address(), manifests::kNodeApiPort},
          .interface = "lo",
          .tls_private_key = keys.node.private_key_pem,
          .client_pin = keys.deployer.pin};
}

Result<node_client::HttpsNodeClient> client_of(
    const Keys& keys, const std::string& name, const Digest& pin,
    std::chrono::milliseconds timeout = test::kPatience) {
  return node_client::HttpsNodeClient::open({.node = NodeId::parse("green-1").value(),
                                             .address = own_address(),
                                             .server_pin = pin,
                                             .client_key_path = keys.path(name, "key")},
                                            network::NetworkNamespace::open({}).value(), timeout);
}

sockaddr_in server_address() {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(manifests::kNodeApiPort);
  std::copy_n(own_address().raw().data(), 4, reinterpret_cast<char*>(&at.sin_addr));
  return at;
}

Fd connect_to(const sockaddr_in& at) {
  Fd out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(out.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  return out;
}

/// Whether the other side closed the connection.
bool ended_within(const Fd& connection, std::chrono::milliseconds patience) {
  pollfd wait{connection.get(), POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(patience.count())) <= 0) return false;
  char byte = 0;
  return ::recv(connection.get(), &byte, 1, MSG_DONTWAIT) <= 0;
}

std::string s_client(const std::vector<std::string>& more, const std::string& input) {
  Program openssl{
      .path = "/usr/bin/openssl",
      .arguments = {"s_client", "-quiet", "-connect", own_address().string() + ":4433"}};
  openssl.arguments.insert(openssl.arguments.end(), more.begin(), more.end());
  const auto out = run(openssl, input, {.time = test::kPatience});
  return out && out->status == 0 ? out->output : "";
}

}  // namespace

TEST_CASE("client and server understand each other, over one connection") {
  const Keys keys;
  Served server(options_of(keys));
  auto client = client_of(keys, "deployer", keys.node.pin);
  REQUIRE(client.has_value());
  CHECK(client->logs().value() == "a line\n");
  const auto dump = client->peers();
  CHECK(dump.value().clock_unix_ns == 1);
  const auto none = client->services();
  REQUIRE_MESSAGE(none.has_value(), "an older node has no services");
  CHECK(none->empty());
  const auto refused = client->commit({});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::busy);
  CHECK(refused.error().message == "node green-1: commit: not now");
  CHECK(server.requests == 4);
  CHECK_FALSE(server.ended);
  CHECK(client->power_off().has_value());
  CHECK(test::eventually([&] { return server.ended.load(); }));
}

TEST_CASE("an answer that is longer than its call has to say is cut off") {
  const Keys keys;
  Served server(options_of(keys));
  auto client = client_of(keys, "deployer", keys.node.pin);
  REQUIRE(client.has_value());
  const auto long_answer = client->give_up({});
  REQUIRE_FALSE(long_answer.has_value());
  CHECK(long_answer.error().code == Errc::exhausted);
  CHECK(long_answer.error().message.find("longer than") != std::string::npos);
  CHECK(client->logs().has_value());
}

TEST_CASE("another client key gets nothing") {
  const Keys keys;
  Served server(options_of(keys));
  auto client = client_of(keys, "stranger", keys.node.pin);
  REQUIRE(client.has_value());
  const auto logs = client->logs();
  REQUIRE_FALSE(logs.has_value());
  CAPTURE(logs.error().message);
  CHECK(logs.error().code == Errc::unauthorized);
  CHECK(server.requests == 0);
}

TEST_CASE("a server with another key is refused before anything is sent") {
  const Keys keys;
  Served server(options_of(keys));
  auto client = client_of(keys, "deployer", keys.stranger.pin);
  const auto logs = client->logs();
  REQUIRE_FALSE(logs.has_value());
  CHECK(logs.error().code == Errc::unauthorized);
  CHECK(logs.error().message.find("is not the one it was started with") != std::string::npos);
  CHECK(server.requests == 0);
}

TEST_CASE("OpenSSL's own client gets in with the pinned key over TLS 1.3, and in no other way") {
  const Keys keys;
  Served server(options_of(keys));
  const std::string request = "GET /v1/logs HTTP/1.0\r\n\r\n";
  const std::vector<std::string> good = {"-key", keys.path("deployer", "key"), "-cert",
                                         keys.path("deployer", "crt")};
  const std::string answer = s_client(good, request);
  CHECK(answer.starts_with("HTTP/1.1 200 "));
  CHECK(answer.ends_with("a line\n"));
  CHECK(server.requests == 1);

  auto old = good;
  old.emplace_back("-tls1_2");
  CHECK(s_client(old, request).empty());
  CHECK(s_client({}, request).empty());
  CHECK(s_client({"-key", keys.path("stranger", "key"), "-cert", keys.path("stranger", "crt")},
                 request)
            .empty());
  // The right certificate with the wrong key: a certificate is public and proves nothing.
  CHECK(s_client({"-key", keys.path("stranger", "key"), "-cert", keys.path("deployer", "crt")},
                 request)
            .empty());
  CHECK(server.requests == 1);
}

TEST_CASE("requests that are too long or not HTTP reach nobody") {
  const Keys keys;
  ServerOptions options = options_of(keys);
  options.longest_body = 1000;
  Served server(options);
  auto client = client_of(keys, "deployer", keys.node.pin);
  manifests::PeerSelection many;
  many.peers.assign(100, PublicKey::from_raw({1}));
  const auto status = client->give_up(many);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == Errc::exhausted);
  const std::vector<std::string> good = {"-key", keys.path("deployer", "key"), "-cert",
                                         keys.path("deployer", "crt")};
  CHECK(s_client(good, "hello\r\n\r\n").find("200") == std::string::npos);
  CHECK(s_client(good, "GET /" + std::string(9000, 'a') + " HTTP/1.0\r\n\r\n")
            .starts_with("HTTP/1.1 413"));
  CHECK(server.requests == 0);
  CHECK(client->logs().has_value());
}

TEST_CASE("a client that says nothing is put out, and others are served meanwhile") {
  const Keys keys;
  ServerOptions options = options_of(keys);
  options.handshake_timeout = 5s;
  Served server(options);
  // Plain TCP, no handshake.
  const std::string silent = "exec 3<>/dev/tcp/" + own_address().string() + "/4433; cat <&3";
  std::optional<Result<Ended>> ended;
  std::thread other([&] {
    ended = run({.path = "/bin/bash", .arguments = {"-c", silent}}, "", {.time = test::kPatience});
  });
  auto client = client_of(keys, "deployer", keys.node.pin);
  CHECK(client->logs().has_value());
  other.join();
  CHECK(ended->has_value());  // the server closed: cat saw the end, not the time-out
}

TEST_CASE("any number of silent connections lock nobody out who has the key") {
  const Keys keys;
  ServerOptions options = options_of(keys);
  options.handshake_timeout = 600s;  // only making way ends them
  options.most_unproven = 8;
  options.most_connections = 2;
  Served server(options);
  auto early = client_of(keys, "deployer", keys.node.pin);
  CHECK(early->logs().has_value());

  std::vector<Fd> silent;
  silent.reserve(40);
  for (int i = 0; i < 40; ++i) silent.push_back(connect_to(server_address()));
  CHECK(early->logs().has_value());  // over its old connection
  auto late = client_of(keys, "deployer", keys.node.pin);
  const auto logs = late->logs();
  CHECK_MESSAGE(logs.has_value(), (logs ? "" : logs.error().message));
  CHECK(server.requests == 3);

  // Of the silent ones the oldest went, and the newest stayed.
  CHECK(ended_within(silent.front(), test::kPatience));
  CHECK_FALSE(ended_within(silent.back(), 0s));

  // Those with the key have places of their own, and two are taken.
  auto third = client_of(keys, "deployer", keys.node.pin);
  CHECK_FALSE(third->logs().has_value());
  CHECK(early->logs().has_value());
  CHECK(late->logs().has_value());
}

TEST_CASE("a handshake that trickles ends at its deadline") {
  const Keys keys;
  ServerOptions options = options_of(keys);
  options.handshake_timeout = 5s;
  Served server(options);
  const Fd slow = connect_to(server_address());
  // A TLS record's head that promises 512 bytes, and then one byte at a time.
  const std::string head("\x16\x03\x01\x02\x00", 5);
  REQUIRE(::send(slow.get(), head.data(), head.size(), MSG_NOSIGNAL) == 5);
  const auto deadline = std::chrono::steady_clock::now() + test::kPatience;
  bool ended = false;
  while (!ended && std::chrono::steady_clock::now() < deadline) {
    ::send(slow.get(), "\x01", 1, MSG_NOSIGNAL);
    ended = ended_within(slow, 100ms);
  }
  CHECK(ended);
}

TEST_CASE("a node that is not there is an i/o error; one that does not answer, a timeout") {
  const Keys keys;
  auto client = client_of(keys, "deployer", keys.node.pin, 300ms);
  const auto refused = client->logs();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::io);
  CHECK(refused.error().message.starts_with("node green-1: logs: "));

  const Fd mute(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(mute.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in at = server_address();
  REQUIRE(::bind(mute.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(::listen(mute.get(), 1) == 0);
  const auto late = client->logs();
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code == Errc::timeout);
}

TEST_CASE("a second server at the same place is refused with the place") {
  const Keys keys;
  Served server(options_of(keys));
  const auto second = HttpsServer::open(options_of(keys), {}, {});
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message.find(own_address().string()) != std::string::npos);
}

}  // namespace weir::node
