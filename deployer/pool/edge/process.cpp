#include "deployer/pool/edge/process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace weir::pool {
namespace {

// What the child tells its parent through a pipe that execve closes.
struct Failure {
  const char* step;  // a literal: the child is a copy of us, so the address means the same
  int sys;
};

// Everything the child needs, made before fork: afterwards only async-signal-safe calls are
// allowed, because other threads of ours may have held any lock.
struct Prepared {
  const char* program;
  std::vector<char*> argv;
  const SpawnRequest* request;
  int null;
  int report;
};

[[noreturn]] void give_up(const Prepared& child, const char* step) {
  const Failure failure{step, errno};
  [[maybe_unused]] const ssize_t n = ::write(child.report, &failure, sizeof failure);
  ::_exit(127);
}

[[noreturn]] void become(const Prepared& child) {
  const SpawnRequest& request = *child.request;
  char* const no_environment[] = {nullptr};
  if (::setsid() < 0) give_up(child, "setsid");
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &plain, nullptr);
  // Beyond RLIMIT_FSIZE a write shall fail, not end the process.
  plain.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &plain, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::umask(077);
  if (::chdir("/") != 0) give_up(child, "chdir");
  if (::dup2(child.null, 0) < 0) give_up(child, "dup2");
  if (::dup2(request.output, 1) < 0 || ::dup2(request.output, 2) < 0) give_up(child, "dup2");
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) give_up(child, "close_range");
  for (const int fd : request.inherited) {
    if (::fcntl(fd, F_SETFD, 0) != 0) give_up(child, "fcntl");
  }
  const rlimit largest{request.largest_file.value, request.largest_file.value};
  if (::setrlimit(RLIMIT_FSIZE, &largest) != 0) give_up(child, "setrlimit");
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) give_up(child, "setrlimit");
  // Ours may be better than what the program is to have; no right to change it is no reason to
  // fail.
  (void)::setpriority(PRIO_PROCESS, 0, request.nice);
  // The bare system calls: glibc's wrappers would signal threads that exist only in the parent.
  if (::syscall(SYS_setgroups, request.groups.size(), request.groups.data()) != 0) {
    give_up(child, "setgroups");
  }
  if (::syscall(SYS_setresgid, request.user, request.user, request.user) != 0) {
    give_up(child, "setresgid");
  }
  if (::syscall(SYS_setresuid, request.user, request.user, request.user) != 0) {
    give_up(child, "setresuid");
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(child, "no_new_privs");
  ::execve(child.program, child.argv.data(), no_environment);
  give_up(child, "execve");
}

Fd open_pidfd(pid_t pid) {
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// As `observe`, but a process of which only some threads have ended (it shows as a zombie, and
// still holds its descriptors) is there.
Result<std::optional<ProcessStat>> look(const ProcessId& process) {
  auto text = read_file("/proc/" + std::to_string(process.pid) + "/stat", ByteCount{4096});
  if (!text) {
    if (text.error().code == Errc::not_found || text.error().sys == ESRCH) return std::nullopt;
    return tl::unexpected(std::move(text).error());
  }
  TRY_ASSIGN(const ProcessStat stat, parse_process_stat(*text));
  if (stat.start_ticks != process.start_ticks) return std::nullopt;
  return std::optional(stat);
}

// A descriptor of exactly this process: opened first, then compared, so that a reused pid is seen.
Result<std::optional<Fd>> hold(const ProcessId& process) {
  Fd fd = open_pidfd(process.pid);
  if (!fd.valid() && errno != ESRCH) return fail_errno(Errc::io, errno, "pidfd_open");
  TRY_ASSIGN(const auto stat, look(process));
  if (!stat || !fd.valid()) return std::nullopt;
  return std::optional<Fd>(std::move(fd));
}

Result<bool> ends_within(const Fd& pidfd, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd wait{pidfd.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::max<long>(0, left.count())));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return fail_errno(Errc::io, errno, "poll");
    if (ready == 0) return false;
  }
}

}  // namespace

Result<ProcessId> spawn(const SpawnRequest& request) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(Errc::io, errno, "pipe");
  const Fd report_read(ends[0]);
  Fd report_write(ends[1]);
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null.valid()) return fail_errno(Errc::io, errno, "/dev/null");
  Prepared child{request.program.c_str(), {}, &request, null.get(), report_write.get()};
  child.argv.push_back(const_cast<char*>(request.program.c_str()));
  for (const std::string& argument : request.arguments) {
    child.argv.push_back(const_cast<char*>(argument.c_str()));
  }
  child.argv.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno(Errc::io, errno, "fork");
  if (pid == 0) become(child);
  report_write = Fd();
  Failure failure{};
  ssize_t n = 0;
  do {
    n = ::read(report_read.get(), &failure, sizeof failure);
  } while (n < 0 && errno == EINTR);
  if (n == sizeof failure) {
    ::waitpid(pid, nullptr, 0);
    return fail_errno(failure.sys == ENOENT ? Errc::not_found : Errc::io, failure.sys,
                      request.program + ": " + failure.step);
  }
  // It is our child, so its /proc entry stays until we reap it.
  TRY_ASSIGN(const std::string text,
             read_file("/proc/" + std::to_string(pid) + "/stat", ByteCount{4096}));
  TRY_ASSIGN(const ProcessStat stat, parse_process_stat(text));
  return ProcessId{pid, stat.start_ticks};
}

Result<std::optional<ProcessStat>> observe(const ProcessId& process) {
  TRY_ASSIGN(const auto stat, look(process));
  if (stat && (stat->state == 'Z' || stat->state == 'X')) {
    ::waitpid(process.pid, nullptr, WNOHANG);  // ECHILD: somebody else's to reap
    return std::nullopt;
  }
  return stat;
}

Result<bool> wait_for_end(const ProcessId& process, std::chrono::milliseconds patience) {
  TRY_ASSIGN(const std::optional<Fd> pidfd, hold(process));
  if (!pidfd) return true;
  TRY_ASSIGN(const bool ended, ends_within(*pidfd, patience));
  if (ended) ::waitpid(process.pid, nullptr, WNOHANG);
  return ended;
}

Result<std::optional<int>> wait_for_exit(const ProcessId& child,
                                         std::chrono::milliseconds patience) {
  const Fd pidfd = open_pidfd(child.pid);
  if (!pidfd.valid()) return fail_errno(Errc::io, errno, "pidfd_open");
  TRY_ASSIGN(const bool ended, ends_within(pidfd, patience));
  if (!ended) return std::nullopt;
  int status = 0;
  if (::waitpid(child.pid, &status, 0) != child.pid) return fail_errno(Errc::io, errno, "waitpid");
  return std::optional(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void set_nice(const ProcessId& process, int nice) {
  if (const auto stat = look(process); !stat || !*stat) return;
  std::error_code error;
  const std::string tasks = "/proc/" + std::to_string(process.pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    const auto id = static_cast<id_t>(std::strtoul(task.path().filename().c_str(), nullptr, 10));
    if (id != 0) (void)::setpriority(PRIO_PROCESS, id, nice);
  }
}

Status kill_process(const ProcessId& process) {
  TRY_ASSIGN(const std::optional<Fd> pidfd, hold(process));
  if (!pidfd) return {};
  if (::syscall(SYS_pidfd_send_signal, pidfd->get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
    return fail_errno(Errc::io, errno, "kill process " + std::to_string(process.pid));
  }
  return {};
}

}  // namespace weir::pool
