#include "deployer/boot_check/edge/enclosure.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>

#include "manifests/base/edge/file.h"

namespace weir::boot_check {
namespace {

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};
constexpr int kCannotEnclose = 1;

std::atomic<bool> interrupt_seen{false};
std::atomic<pid_t> enclosed{0};

void on_interrupt(int) {
  interrupt_seen = true;
}

void pass_on(int number) {
  const pid_t pid = enclosed;
  if (pid > 0) ::kill(pid, number);
}

void handle_signals(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  for (const int number : kSignals) ::sigaction(number, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

sigset_t signal_set() {
  sigset_t out;
  ::sigemptyset(&out);
  for (const int number : kSignals) ::sigaddset(&out, number);
  return out;
}

Status enclose(const Fd& parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return fail_errno(Errc::io, errno, "prctl");
  // It may have died before that.
  pollfd alive{parent.get(), POLLIN, 0};
  if (::poll(&alive, 1, 0) != 0) return fail(Errc::io, "who started it is gone");
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) {
    return fail_errno(Errc::unauthorized, errno, "make namespaces");
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return fail_errno(Errc::io, errno, "keep mounts to ourselves");
  }
  constexpr unsigned long kPlain = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (::mount("proc", "/proc", "proc", kPlain, nullptr) != 0) {
    return fail_errno(Errc::io, errno, "mount /proc");
  }
  if (::mount("tmpfs", "/run", "tmpfs", kPlain, "mode=0755,size=64m") != 0) {
    return fail_errno(Errc::io, errno, "mount /run");
  }
  return {};
}

[[noreturn]] void be_enclosed(const Fd& parent, const sigset_t& signals,
                              const std::function<int()>& work) {
  handle_signals(on_interrupt);
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  int code = kCannotEnclose;
  if (const Status inside = enclose(parent); inside) {
    code = work();
  } else {
    std::fprintf(stderr, "weir-boot-check: %s\n", inside.error().message.c_str());
  }
  std::fflush(nullptr);
  ::_exit(code);
}

}  // namespace

bool interrupted() {
  return interrupt_seen;
}

Result<int> run_enclosed(const std::function<int()>& work) {
  if (::geteuid() != 0) return fail(Errc::unauthorized, "needs root");
  const Fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!self.valid()) return fail_errno(Errc::io, errno, "pidfd_open");
  // Of this process only its children change: the next one is the first of a new namespace.
  if (::unshare(CLONE_NEWPID) != 0) {
    return fail_errno(Errc::unauthorized, errno, "make a process namespace");
  }
  // No signal may come between fork and the handler that passes it on.
  const sigset_t signals = signal_set();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) be_enclosed(self, signals, work);
  const int sys = errno;
  if (pid > 0) {
    enclosed = pid;
    handle_signals(pass_on);
  }
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  if (pid < 0) return fail_errno(Errc::io, sys, "fork");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return fail_errno(Errc::io, errno, "waitpid");
  }
  enclosed = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace weir::boot_check
