#include "manifests/base/edge/process_start.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace weir {
namespace {

constexpr int kOutOfTheWay = 10;

// What the child tells its parent through a pipe that execve closes.
struct Failure {
  const char* step;  // a literal: the child is a copy of us, so the address means the same
  int sys;
};

// Everything the child needs, made before fork: afterwards only async-signal-safe calls are
// allowed, because other threads of ours may have held any lock.
struct Prepared {
  const Program* program;
  std::vector<char*> argv, environment;
  std::array<int, 4> streams;
  pid_t parent;
  int report;
};

[[noreturn]] void give_up(const Prepared& child, const char* step) {
  const Failure failure{step, errno};
  [[maybe_unused]] const ssize_t n = ::write(child.report, &failure, sizeof failure);
  ::_exit(127);
}

// A hang-up that is ignored for us (nohup) is so for what we start.
bool stays_ignored(int number) {
  struct sigaction now {};
  return number == SIGHUP && ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

void reset_signals() {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) {
    if (!stays_ignored(number)) ::sigaction(number, &plain, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void place_descriptors(const Prepared& child) {
  for (std::size_t i = 0; i < child.streams.size(); ++i) {
    const int fd = child.streams[i];
    if (fd >= 0 && ::dup2(fd, static_cast<int>(i)) < 0) give_up(child, "dup2");
  }
  const unsigned first = child.streams[3] >= 0 ? 4 : 3;
  if (::close_range(first, ~0U, CLOSE_RANGE_CLOEXEC) != 0) give_up(child, "close_range");
  for (const int fd : child.program->inherited) {
    if (::fcntl(fd, F_SETFD, 0) != 0) give_up(child, "fcntl");
  }
}

void enter_namespaces(const Prepared& child, const Confinement& confinement) {
  if (confinement.namespaces == 0) return;
  if (::unshare(confinement.namespaces) != 0) give_up(child, "unshare");
  if ((confinement.namespaces & CLONE_NEWNS) == 0) return;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) give_up(child, "mount");
  if (confinement.hidden.empty()) return;
  for (const std::string& folder : confinement.hidden) {
    if (::mount("weir", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                "mode=0755,size=4k") != 0 &&
        errno != ENOENT) {
      give_up(child, "mount tmpfs");
    }
  }
  mount_attr read_only{};
  read_only.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  if (::syscall(SYS_mount_setattr, -1, "/", AT_RECURSIVE, &read_only, sizeof read_only) != 0) {
    give_up(child, "mount_setattr");
  }
}

void set_limits(const Prepared& child, const Confinement& confinement) {
  for (const ResourceLimit& limit : confinement.limits) {
    const rlimit both{limit.value, limit.value};
    if (::prlimit(0, static_cast<__rlimit_resource>(limit.resource), &both, nullptr) != 0) {
      give_up(child, "setrlimit");
    }
    if (limit.resource == RLIMIT_FSIZE) {
      struct sigaction ignored {};
      ignored.sa_handler = SIG_IGN;
      ::sigaction(SIGXFSZ, &ignored, nullptr);
    }
  }
  if (confinement.nice) (void)::setpriority(PRIO_PROCESS, 0, *confinement.nice);
}

void become_user(const Prepared& child, const Confinement& confinement) {
  if (confinement.unprivileged) {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
      if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) {
        give_up(child, "drop capabilities");
      }
    }
  }
  if (confinement.user) {
    // The bare system calls: glibc's wrappers would signal threads that exist only in the parent.
    const uid_t user = *confinement.user;
    if (::syscall(SYS_setgroups, confinement.groups.size(), confinement.groups.data()) != 0) {
      give_up(child, "setgroups");
    }
    if (::syscall(SYS_setresgid, user, user, user) != 0) give_up(child, "setresgid");
    if (::syscall(SYS_setresuid, user, user, user) != 0) give_up(child, "setresuid");
  }
  if (confinement.unprivileged) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> none{};
    if (::syscall(SYS_capset, &header, none.data()) != 0) give_up(child, "capset");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(child, "no_new_privs");
  }
}

[[noreturn]] void become(const Prepared& child) {
  const Program& program = *child.program;
  const bool stands_apart = program.group == ProcessGroup::session;
  if (stands_apart && ::setsid() < 0) give_up(child, "setsid");
  if (program.group == ProcessGroup::own && ::setpgid(0, 0) != 0) give_up(child, "setpgid");
  reset_signals();
  // What a program makes for us, its owner can use (owner_access.h); others as the umask has it.
  const mode_t inherited = ::umask(077);
  if (!stands_apart) ::umask(inherited & 077);
  if (!program.folder.empty() && ::chdir(program.folder.c_str()) != 0) give_up(child, "chdir");
  place_descriptors(child);
  enter_namespaces(child, program.confinement);
  set_limits(child, program.confinement);
  become_user(child, program.confinement);
  // After the user: a change of user clears it.
  if (program.parent_death_signal != 0) {
    if (::prctl(PR_SET_PDEATHSIG, program.parent_death_signal) != 0) give_up(child, "prctl");
    if (::getppid() != child.parent) ::_exit(127);
  }
  ::execve(program.path.c_str(), child.argv.data(), child.environment.data());
  give_up(child, "execve");
}

std::vector<char*> pointers(const std::string* first, const std::vector<std::string>& rest) {
  std::vector<char*> out;
  if (first != nullptr) out.push_back(const_cast<char*>(first->c_str()));
  for (const std::string& text : rest) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// A copy of a descriptor that no dup2 onto 0 to 3 replaces.
Result<Fd> out_of_the_way(int fd) {
  Fd out(::fcntl(fd, F_DUPFD_CLOEXEC, kOutOfTheWay));
  if (!out.valid()) return fail_errno(Errc::io, errno, "copy a descriptor");
  return out;
}

}  // namespace

Fd open_pidfd(pid_t pid) {
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

Result<bool> ends_within(const Fd& pidfd, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wait{pidfd.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::max<long>(0, left.count())));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return fail_errno(Errc::io, errno, "poll");
    if (ready == 0) return false;
  }
}

int exit_status(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

Result<Started> start_process(const Program& program, const std::array<int, 4>& streams) {
  std::array<Fd, 4> copies;
  Prepared child{&program,
                 pointers(&program.path, program.arguments),
                 pointers(nullptr, program.environment),
                 {-1, -1, -1, -1},
                 ::getpid(),
                 -1};
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (streams[i] < 0) continue;
    TRY_ASSIGN_IN(copies[i], out_of_the_way(streams[i]), program.path);
    child.streams[i] = copies[i].get();
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(Errc::io, errno, program.path);
  const Fd report_read(ends[0]);
  Fd report_low(ends[1]);
  TRY_ASSIGN_IN(Fd report, out_of_the_way(report_low.get()), program.path);
  report_low = Fd();
  child.report = report.get();

  const pid_t pid = ::fork();
  if (pid == 0) become(child);
  if (pid < 0) return fail_errno(Errc::io, errno, program.path + ": fork");
  report = Fd();
  Failure failure{};
  ssize_t n = 0;
  do {
    n = ::read(report_read.get(), &failure, sizeof failure);
  } while (n < 0 && errno == EINTR);
  if (n == sizeof failure) {
    ::waitpid(pid, nullptr, 0);
    return fail_errno(failure.sys == ENOENT ? Errc::not_found : Errc::io, failure.sys,
                      program.path + ": " + failure.step);
  }
  // It is our child, so its pid and its /proc entry stay until we reap it.
  Started out{{}, open_pidfd(pid)};
  const int sys = errno;
  auto id = identify(pid);
  if (out.pidfd.valid() && id) {
    out.id = *id;
    return out;
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  if (!out.pidfd.valid()) return fail_errno(Errc::io, sys, program.path + ": pidfd_open");
  return tl::unexpected(std::move(id).error().in(program.path));
}

}  // namespace weir
