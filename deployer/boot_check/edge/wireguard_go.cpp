#include "deployer/boot_check/edge/wireguard_go.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "deployer/boot_check/edge/enclosure.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"

namespace weir::boot_check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookAgain{10};
constexpr milliseconds kAnswerPatience{5000};
constexpr std::size_t kLongestAnswer = 64 << 10;

// Ctrl-C reaches it through us.
Result<Program> wireguard_go(std::vector<std::string> arguments) {
  Program out;
  auto path = find_program("wireguard-go");
  if (!path) {
    return fail(Errc::not_found, path.error().message + " (Debian package wireguard-go)");
  }
  out.path = std::move(*path);
  out.arguments = std::move(arguments);
  out.environment = {kProgramPath, "LOG_LEVEL=error"};
  out.group = ProcessGroup::session;
  return out;
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

}  // namespace

Result<WireGuardGo> WireGuardGo::start(const network::NetworkNamespace& where,
                                       const std::string& interface, const std::string& log,
                                       milliseconds patience) {
  TRY_ASSIGN(Program program, wireguard_go({"-f", interface}));
  TRY_ASSIGN(const Fd out, open_log_file(log, Existing::kept));
  program.output = program.error = Stream::to(out.get());
  ProcessId process;
  // A program starts in the namespace of the thread that starts it.
  TRY(where.run([&]() -> Status {
    TRY_ASSIGN(process, spawn(program));
    return {};
  }));
  WireGuardGo started(process, "/run/wireguard/" + interface + ".sock");
  const auto deadline = steady_clock::now() + patience;
  for (;;) {
    if (connect_to(started.socket_)) return started;
    TRY_ASSIGN(const auto there, observe(process));
    if (!there) return fail(Errc::io, "wireguard-go ended at once" + last_words(log));
    if (interrupted()) return fail(Errc::busy, "interrupted");
    if (steady_clock::now() > deadline) {
      return fail(Errc::timeout, "wireguard-go does not serve " + started.socket_ + " after " +
                                     std::to_string(patience.count()) + " ms" + last_words(log));
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

WireGuardGo::WireGuardGo(WireGuardGo&& other) noexcept
    : process_(std::exchange(other.process_, std::nullopt)), socket_(std::move(other.socket_)) {}

WireGuardGo::~WireGuardGo() {
  if (!process_) return;
  [[maybe_unused]] const Status killed = kill_process(*process_);
  [[maybe_unused]] const auto ended = wait_for_end(*process_, kAnswerPatience);
}

Result<std::string> WireGuardGo::version() {
  TRY_ASSIGN(const Program program, wireguard_go({"--version"}));
  TRY_ASSIGN(const Ended said, weir::run(program, {}, {kAnswerPatience}));
  std::string_view line = said.output;
  line = line.substr(0, line.find('\n'));
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
