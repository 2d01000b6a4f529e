#include "deployer/serve/edge/control_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace weir::deployer {
namespace {

constexpr std::size_t kLongestLine = 16U << 20;

/// A socket address has room for 107 characters; a path through an open folder is always short.
Result<sockaddr_un> address_of(const Fd& folder, const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::string text = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + name;
  if (text.size() >= sizeof out.sun_path)
    return fail(Errc::invalid_input, path + ": name too long");
  std::memcpy(out.sun_path, text.data(), text.size());
  return out;
}

Result<Fd> open_folder(const std::string& path) {
  Fd fd(::open(path.substr(0, path.rfind('/')).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno(errno == ENOENT ? Errc::not_found : Errc::io, errno, path);
  return fd;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Whether `fd` becomes ready for `events` by `deadline`.
bool ready(const Fd& fd, short events, steady_clock::time_point deadline) {
  pollfd wanted{fd.get(), events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    const int n = ::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (n > 0) return true;
    if (n == 0 || errno != EINTR) return false;
  }
}

}  // namespace

Status ControlConnection::send(std::string_view line, milliseconds patience) {
  if (broken_) return fail(Errc::io, "control: the other side did not listen");
  const auto deadline = steady_clock::now() + patience;
  std::string text(line);
  text += '\n';
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t n =
        ::send(fd_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail_errno(Errc::io, errno, "control");
    if (!ready(fd_, POLLOUT, deadline)) {
      broken_ = sent != 0;
      return fail(Errc::timeout, "control: the other side does not listen");
    }
  }
  return {};
}

Result<std::optional<std::string>> ControlConnection::receive(milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  for (;;) {
    const auto end = buffer_.find('\n');
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return std::optional<std::string>(std::move(line));
    }
    if (buffer_.size() > kLongestLine) return fail(Errc::exhausted, "control: endless line");
    if (!ready(fd_, POLLIN, deadline)) return std::optional<std::string>();
    std::array<char, 65536> piece{};
    const ssize_t n = ::recv(fd_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return fail_errno(Errc::io, errno, "control");
    if (n == 0) return fail(Errc::io, "control: the other side is gone");
    buffer_.append(piece.data(), static_cast<std::size_t>(n));
  }
}

Result<ControlConnection> connect_control(const std::string& path) {
  TRY_ASSIGN(const Fd folder, open_folder(path));
  TRY_ASSIGN(const sockaddr_un address, address_of(folder, path));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail_errno(Errc::io, errno, "control: socket");
  if (::connect(fd.get(), generic(address), sizeof address) != 0) {
    const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
    return fail_errno(nobody ? Errc::not_found : Errc::io, errno, path);
  }
  return ControlConnection(std::move(fd));
}

Result<ControlListener> ControlListener::open(const std::string& path) {
  TRY_ASSIGN(const Fd folder, open_folder(path));
  TRY_ASSIGN(const sockaddr_un address, address_of(folder, path));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail_errno(Errc::io, errno, "control: socket");
  ::unlink(path.c_str());
  // The folder is 0700 already; the socket's own mode says it once more. bind(2) takes the mode of
  // a socket from the descriptor where fchmod(2) set it before (unix(7) leaves it to the umask
  // else).
  if (::fchmod(fd.get(), 0600) != 0 || ::bind(fd.get(), generic(address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), 8) != 0) {
    return fail_errno(Errc::io, errno, path);
  }
  return ControlListener(std::move(fd), path);
}

ControlListener::~ControlListener() {
  if (fd_.valid()) ::unlink(path_.c_str());
}

Result<std::optional<ControlConnection>> ControlListener::accept(
    std::chrono::milliseconds patience) {
  if (!ready(fd_, POLLIN, steady_clock::now() + patience))
    return std::optional<ControlConnection>();
  Fd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd.valid()) {
    if (errno == EINTR || errno == ECONNABORTED || errno == EAGAIN)
      return std::optional<ControlConnection>();
    return fail_errno(Errc::io, errno, path_);
  }
  return std::optional<ControlConnection>(ControlConnection(std::move(fd)));
}

}  // namespace weir::deployer
