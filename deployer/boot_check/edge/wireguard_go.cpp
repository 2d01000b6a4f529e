#include "deployer/boot_check/edge/wireguard_go.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "deployer/boot_check/edge/enclosure.h"
#include "manifests/base/edge/file.h"

namespace weir::boot_check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookAgain{10};
constexpr milliseconds kAnswerPatience{5000};
constexpr std::size_t kLongestAnswer = 64 << 10;

Result<std::string> find_program() {
  for (const char* folder : {"/usr/local/bin/", "/usr/bin/", "/bin/"}) {
    std::string path = std::string(folder) + "wireguard-go";
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return fail(Errc::not_found,
              "the program 'wireguard-go' is not installed (Debian package "
              "wireguard-go)");
}

Result<pid_t> spawn(const std::string& program, const std::string& argument, bool foreground,
                    int out) {
  std::string name = "wireguard-go", option = "-f", last = argument;
  std::array<char*, 4> argv = {name.data(), foreground ? option.data() : last.data(),
                               foreground ? last.data() : nullptr, nullptr};
  std::string path = "PATH=/usr/bin:/bin", level = "LOG_LEVEL=error";
  std::array<char*, 3> environment = {path.data(), level.data(), nullptr};
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, null.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions, out, 1);
  ::posix_spawn_file_actions_adddup2(&actions, out, 2);
  // Ctrl-C reaches it through us.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = -1;
  const int sys =
      ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (sys != 0) return fail_errno(Errc::io, sys, "cannot run " + program);
  return pid;
}

Result<Fd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(Errc::bug, path + ": too long");
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail_errno(Errc::io, errno, "socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno(Errc::io, errno, path);
  }
  return fd;
}

std::string last_words(const std::string& log) {
  auto text = read_file(log, ByteCount{1 << 20});
  if (!text) return {};
  while (!text->empty() && text->back() == '\n') text->pop_back();
  const auto start = text->rfind('\n');
  const std::string line = start == std::string::npos ? *text : text->substr(start + 1);
  return line.empty() ? "" : " (it says: " + line + ")";
}

bool has_ended(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

}  // namespace

Result<WireGuardGo> WireGuardGo::start(const network::NetworkNamespace& where,
                                       const std::string& interface, const std::string& log,
                                       milliseconds patience) {
  TRY_ASSIGN(const std::string program, find_program());
  TRY_ASSIGN(const Fd out, open_log_file(log, Existing::kept));
  pid_t pid = -1;
  // A program starts in the namespace of the thread that starts it.
  TRY(where.run([&]() -> Status {
    TRY_ASSIGN(pid, spawn(program, interface, true, out.get()));
    return {};
  }));
  WireGuardGo started(pid, "/run/wireguard/" + interface + ".sock");
  const auto deadline = steady_clock::now() + patience;
  for (;;) {
    if (connect_to(started.socket_)) return started;
    if (has_ended(pid)) return fail(Errc::io, "wireguard-go ended at once" + last_words(log));
    if (interrupted()) return fail(Errc::busy, "interrupted");
    if (steady_clock::now() > deadline) {
      return fail(Errc::timeout, "wireguard-go does not serve " + started.socket_ + " after " +
                                     std::to_string(patience.count()) + " ms" + last_words(log));
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

WireGuardGo::WireGuardGo(WireGuardGo&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)) {}

WireGuardGo::~WireGuardGo() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

Result<std::string> WireGuardGo::version() {
  TRY_ASSIGN(const std::string program, find_program());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(Errc::io, errno, "pipe");
  const Fd in(ends[0]);
  Fd out(ends[1]);
  TRY_ASSIGN(const pid_t pid, spawn(program, "--version", false, out.get()));
  out = Fd();
  // It prints a few lines, far below what a pipe holds, and ends.
  std::array<char, 4096> text{};
  std::size_t size = 0;
  pollfd readable{in.get(), POLLIN, 0};
  while (size < text.size() &&
         ::poll(&readable, 1, static_cast<int>(kAnswerPatience.count())) > 0) {
    const ssize_t n = ::read(in.get(), text.data() + size, text.size() - size);
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  const WireGuardGo ends_it(pid, {});
  const std::string_view said(text.data(), size);
  std::string_view line = said.substr(0, said.find('\n'));
  constexpr std::string_view kName = "wireguard-go v";
  if (!line.starts_with(kName)) return std::string("wireguard-go");
  line.remove_prefix(kName.size());
  return "wireguard-go " + std::string(line);
}

Result<std::string> WireGuardGo::ask(std::string_view operation) {
  TRY_ASSIGN(const Fd fd, connect_to(socket_));
  while (!operation.empty()) {
    const ssize_t n = ::send(fd.get(), operation.data(), operation.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(Errc::io, errno, "wireguard-go");
    operation.remove_prefix(static_cast<std::size_t>(n));
  }
  std::string answer;
  const auto deadline = steady_clock::now() + kAnswerPatience;
  while (!answer.ends_with("\n\n")) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    pollfd readable{fd.get(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&readable, 1, static_cast<int>(left.count())) == 0) {
      return fail(Errc::timeout, "wireguard-go does not answer on " + socket_);
    }
    std::array<char, 4096> piece{};
    const ssize_t n = ::recv(fd.get(), piece.data(), piece.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail_errno(Errc::io, n < 0 ? errno : EPIPE, "wireguard-go");
    answer.append(piece.data(), static_cast<std::size_t>(n));
    if (answer.size() > kLongestAnswer) return fail(Errc::exhausted, "wireguard-go talks on");
  }
  return answer;
}

Status WireGuardGo::configure(const UapiDevice& device) {
  TRY_ASSIGN(const keys::Secret operation, uapi_set(device));
  TRY_ASSIGN(const std::string answer, ask(operation.text()));
  return parse_uapi_status(answer);
}

Result<UapiPeer> WireGuardGo::read_peer() {
  TRY_ASSIGN(const std::string answer, ask("get=1\n\n"));
  return parse_uapi_peer(answer);
}

}  // namespace weir::boot_check
