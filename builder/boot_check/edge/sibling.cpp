#include "builder/boot_check/edge/sibling.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>

#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};
constexpr std::size_t kMostOutput = 1 << 20;
constexpr milliseconds kInsistAfter{10000};

std::atomic<pid_t> running{0};

void pass_on(int number) {
  const pid_t pid = running;
  if (pid > 0) ::kill(pid, number);
}

// Signals go to the child for as long as the object lives.
class PassSignals {
 public:
  explicit PassSignals(pid_t pid) {
    running = pid;
    struct sigaction action {};
    action.sa_handler = pass_on;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &action, &before_[i]);
    }
  }
  PassSignals(const PassSignals&) = delete;
  PassSignals& operator=(const PassSignals&) = delete;
  ~PassSignals() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &before_[i], nullptr);
    }
    running = 0;
  }

 private:
  std::array<struct sigaction, kSignals.size()> before_{};
};

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(Errc::io, errno, "pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const char* path, char* const* argv, int out, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() == parent && ::dup2(out, STDOUT_FILENO) >= 0) ::execv(path, argv);
  ::_exit(127);
}

// Reads its output to the end, which comes with the program's own.
Status collect(const Fd& pipe, pid_t pid, milliseconds limit, std::string& out) {
  auto deadline = steady_clock::now() + limit;
  bool asked = false;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) {
      ::kill(pid, asked ? SIGKILL : SIGTERM);
      if (asked) {
        return fail(Errc::timeout,
                    "did not end within " + std::to_string(limit.count() / 1000) + " s");
      }
      asked = true;
      deadline += kInsistAfter;
      continue;
    }
    pollfd readable{pipe.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 65536> piece{};
    const ssize_t n = ::read(pipe.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    out.append(piece.data(), static_cast<std::size_t>(n));
    if (out.size() > kMostOutput) {
      ::kill(pid, SIGTERM);
      return fail(Errc::exhausted, "wrote more than 1 MiB");
    }
  }
  if (asked) {
    return fail(Errc::timeout, "did not end within " + std::to_string(limit.count() / 1000) + " s");
  }
  return {};
}

}  // namespace

Result<std::string> program_folder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size());
  if (n < 0) return fail_errno(Errc::io, errno, "/proc/self/exe");
  const std::string program(path.data(), static_cast<std::size_t>(n));
  const auto slash = program.rfind('/');
  return slash == 0 ? std::string("/") : program.substr(0, slash);
}

Result<SiblingResult> run_sibling(const std::string& name,
                                  const std::vector<std::string>& arguments, milliseconds limit) {
  TRY_ASSIGN(const std::string folder, program_folder());
  const std::string path = folder + "/" + name;
  if (::access(path.c_str(), X_OK) != 0) {
    return fail(Errc::not_found, path + ": no such program: build or install it beside this one");
  }
  TRY_ASSIGN(Pipe pipe, make_pipe());
  std::vector<char*> argv = {const_cast<char*>(name.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(path.c_str(), argv.data(), pipe.write.get(), self);
  if (pid < 0) return fail_errno(Errc::io, errno, "fork");
  SiblingResult out;
  Status collected;
  int status = 0;
  {
    const PassSignals passing(pid);
    pipe.write = Fd();
    collected = collect(pipe.read, pid, limit, out.out);
    while (::waitpid(pid, &status, 0) < 0) {
      if (errno != EINTR) return fail_errno(Errc::io, errno, "waitpid");
    }
  }
  TRY_IN(collected, name);
  out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return out;
}

}  // namespace weir::builder
