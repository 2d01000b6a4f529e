#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weir::builder {

struct HttpRequest {
  std::string path;        ///< of a request to a proxy: the whole URL
  std::string head;        ///< as it came
  std::uint64_t from = 0;  ///< of a range "bytes=FROM-"; 0 without one
};

struct HttpAnswer {
  int status = 200;
  std::string body;          ///< what is sent
  std::size_t promised = 0;  ///< Content-Length where it differs from the body; 0: it does not
  std::size_t piece = 0;     ///< sent at once, with a pause before the next; 0: all of it
  std::chrono::milliseconds pause{0};
  std::string headers{};  ///< more of them, each with its CR and LF
};

/// The value of a request's header; empty: it has none.
inline std::string header_of(const HttpRequest& request, const std::string& name) {
  const auto at = request.head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const auto begin = at + name.size() + 4;
  return request.head.substr(begin, request.head.find('\r', begin) - begin);
}

/// An HTTP/1.1 server on a loopback port of the kernel's choice, in a thread of its own, one
/// connection a request. Knows which requests came.
class HttpServer {
 public:
  using Handler = std::function<HttpAnswer(const HttpRequest&, int times_asked_before)>;

  explicit HttpServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_, plain, size) == 0);
    REQUIRE(::listen(listener_, 64) == 0);
    REQUIRE(::getsockname(listener_, plain, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Serves `files` by path, ranges too; 404 for all else.
  static Handler files(std::map<std::string, std::string> files) {
    return [files = std::move(files)](const HttpRequest& request, int) {
      const auto found = files.find(request.path);
      if (found == files.end()) return HttpAnswer{404, "no such file", 0};
      if (request.from == 0) return HttpAnswer{200, found->second, 0};
      if (request.from >= found->second.size()) return HttpAnswer{416, "", 0};
      return HttpAnswer{206, found->second.substr(request.from), 0};
    };
  }

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::vector<HttpRequest> requests() {
    const std::lock_guard guard(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stop_) {
      pollfd ready{listener_, POLLIN, 0};
      if (::poll(&ready, 1, 50) <= 0) continue;
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      answer(client);
      ::close(client);
    }
  }

  void answer(int client) {
    std::string head;
    char piece[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      pollfd ready{client, POLLIN, 0};
      if (::poll(&ready, 1, 2000) <= 0) return;
      const ssize_t n = ::recv(client, piece, sizeof piece, 0);
      if (n <= 0) return;
      head.append(piece, static_cast<std::size_t>(n));
    }
    HttpRequest request;
    request.head = head;
    const auto start = head.find(' ') + 1;
    request.path = head.substr(start, head.find(' ', start) - start);
    if (const auto at = head.find("Range: bytes="); at != std::string::npos) {
      std::from_chars(head.data() + at + 13, head.data() + head.size(), request.from);
    }
    int before = 0;
    {
      const std::lock_guard guard(mutex_);
      for (const auto& other : requests_) before += other.path == request.path ? 1 : 0;
      requests_.push_back(request);
    }
    const HttpAnswer answer = handler_(request, before);
    const std::size_t length = answer.promised != 0 ? answer.promised : answer.body.size();
    std::string out = "HTTP/1.1 " + std::to_string(answer.status) +
                      " x\r\nConnection: close\r\nContent-Length: " + std::to_string(length) +
                      "\r\n" + answer.headers + "\r\n" + answer.body;
    std::string_view rest = out;
    while (!rest.empty() && !stop_) {
      const bool in_head = rest.size() > answer.body.size();
      const std::size_t size = answer.piece == 0 ? rest.size()
                               : in_head         ? rest.size() - answer.body.size()
                                                 : std::min(rest.size(), answer.piece);
      const ssize_t n = ::send(client, rest.data(), size, MSG_NOSIGNAL);
      if (n <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(n));
      // A client that leaves ends the pause.
      pollfd gone{client, POLLIN, 0};
      if (answer.piece != 0) ::poll(&gone, 1, static_cast<int>(answer.pause.count()));
      if ((gone.revents & (POLLIN | POLLHUP | POLLERR)) != 0) return;
    }
  }

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::thread thread_;
};

}  // namespace weir::builder
