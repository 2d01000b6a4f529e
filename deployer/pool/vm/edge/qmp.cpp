#include "deployer/pool/vm/edge/qmp.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

namespace weir::pool {
namespace {

constexpr const char* kSocketName = "qmp.sock";
constexpr std::size_t kLongestAnswer = 1 << 20;

Result<Fd> open_folder(const std::string& folder) {
  Fd fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno(Errc::io, errno, folder);
  return fd;
}

sockaddr_un address_in(const Fd& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + kSocketName;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

Result<Fd> stream_socket() {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail_errno(Errc::io, errno, "socket");
  return fd;
}

}  // namespace

Result<Fd> listen_for_qmp(const std::string& folder) {
  TRY_ASSIGN(const Fd inside, open_folder(folder));
  TRY_ASSIGN(Fd fd, stream_socket());
  if (::unlinkat(inside.get(), kSocketName, 0) != 0 && errno != ENOENT) {
    return fail_errno(Errc::io, errno, folder + "/" + kSocketName);
  }
  const sockaddr_un address = address_in(inside);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 4) != 0) {
    return fail_errno(Errc::io, errno, folder + "/" + kSocketName);
  }
  return fd;
}

Result<QmpClient> QmpClient::open(const std::string& folder, std::chrono::milliseconds timeout) {
  TRY_ASSIGN(const Fd inside, open_folder(folder));
  TRY_ASSIGN(Fd fd, stream_socket());
  const sockaddr_un address = address_in(inside);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno(Errc::io, errno, folder + "/" + kSocketName);
  }
  QmpClient client(std::move(fd), timeout);
  TRY_IN(client.read_line(), "QMP greeting");
  TRY(client.run("qmp_capabilities"));
  return client;
}

Result<std::string> QmpClient::read_line() {
  const auto deadline = std::chrono::steady_clock::now() + timeout_;
  for (;;) {
    if (const auto end = buffered_.find('\n'); end != std::string::npos) {
      std::string line = buffered_.substr(0, end);
      buffered_.erase(0, end + 1);
      return line;
    }
    if (buffered_.size() > kLongestAnswer) return fail(Errc::exhausted, "QMP answer is too long");
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fail(Errc::timeout, "QMP: no answer");
    pollfd wait{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return fail_errno(Errc::io, errno, "QMP: poll");
    if (ready <= 0) continue;
    std::array<char, 4096> piece{};
    const ssize_t n = ::read(socket_.get(), piece.data(), piece.size());
    if (n == 0) return fail(Errc::io, "QMP: connection closed");
    if (n < 0 && errno != EINTR) return fail_errno(Errc::io, errno, "QMP: read");
    if (n > 0) buffered_.append(piece.data(), static_cast<std::size_t>(n));
  }
}

Result<std::string> QmpClient::run(const std::string& command) {
  const std::string text = nlohmann::json{{"execute", command}}.dump() + "\n";
  if (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(text.size())) {
    return fail_errno(Errc::io, errno, "QMP: " + command);
  }
  for (;;) {
    TRY_ASSIGN_IN(const std::string line, read_line(), command);
    const auto message = nlohmann::json::parse(line, nullptr, false);
    if (!message.is_object()) return fail(Errc::invalid_input, "QMP: " + command + ": not JSON");
    if (message.contains("event")) continue;
    if (message.contains("return")) return message["return"].dump();
    return fail(Errc::io, "QMP: " + command + ": " + message.dump());
  }
}

}  // namespace weir::pool
