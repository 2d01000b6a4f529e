#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "manifests/base/edge/file.h"

/// Runs a program and is asked before each of its calls that changes a disk, in whichever thread
/// or child it is made and by whichever library: the kernel stops the caller until the answer is
/// there (seccomp_unotify(2); Linux 5.9 or later).
namespace weir::test {

struct Call {
  std::string name;
  std::string path;         ///< what it changes, relative to the folder where that is in it
  bool own = true;          ///< not of a child process
  bool needs_room = false;  ///< on a full disk it fails
};

enum class Verdict : std::uint8_t { goes_on, no_space, kill, interrupt };

struct Ended {
  int status = 0;  ///< as waitpid has it
  std::string out, err;
};

namespace supervisor {

/// How a call names what it changes.
enum class By : std::uint8_t {
  descriptor,
  third_descriptor,
  path,
  path_at,
  second_path,
  second_path_at,
  two_paths,
  two_paths_at
};

struct Known {
  int number;
  const char* name;
  By by;
  bool needs_room;
};

// Not here: io_uring, shared mappings, owners and extended attributes, which Weir has no use for.
inline constexpr Known kKnown[] = {
    {SYS_write, "write", By::descriptor, true},
    {SYS_writev, "writev", By::descriptor, true},
    {SYS_pwrite64, "pwrite64", By::descriptor, true},
    {SYS_pwritev, "pwritev", By::descriptor, true},
    {SYS_pwritev2, "pwritev2", By::descriptor, true},
    {SYS_sendfile, "sendfile", By::descriptor, true},
    {SYS_copy_file_range, "copy_file_range", By::third_descriptor, true},
    {SYS_ftruncate, "ftruncate", By::descriptor, true},
    {SYS_fallocate, "fallocate", By::descriptor, true},
    {SYS_fsync, "fsync", By::descriptor, false},
    {SYS_fdatasync, "fdatasync", By::descriptor, false},
    {SYS_fchmod, "fchmod", By::descriptor, false},
    {SYS_openat, "openat", By::path_at, true},
    {SYS_fchmodat, "fchmodat", By::path_at, false},
    {SYS_mkdirat, "mkdirat", By::path_at, true},
    {SYS_unlinkat, "unlinkat", By::path_at, false},
    {SYS_utimensat, "utimensat", By::path_at, false},
    {SYS_symlinkat, "symlinkat", By::second_path_at, true},
    {SYS_linkat, "linkat", By::two_paths_at, true},
    {SYS_renameat2, "renameat2", By::two_paths_at, false},
#ifdef SYS_open  // where libraries still have the older calls
    {SYS_open, "open", By::path, true},
    {SYS_creat, "creat", By::path, true},
    {SYS_truncate, "truncate", By::path, true},
    {SYS_chmod, "chmod", By::path, false},
    {SYS_mkdir, "mkdir", By::path, true},
    {SYS_rmdir, "rmdir", By::path, false},
    {SYS_unlink, "unlink", By::path, false},
    {SYS_symlink, "symlink", By::second_path, true},
    {SYS_link, "link", By::two_paths, true},
    {SYS_rename, "rename", By::two_paths, false},
    {SYS_renameat, "renameat", By::two_paths_at, false},
#endif
};

#if defined(__x86_64__)
inline constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
inline constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

inline std::vector<sock_filter> filter() {
  std::vector<sock_filter> out = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      // Most files are opened to be read: nobody needs to be asked.
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  for (const Known& call : kKnown) {
    out.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call.number), 0, 1));
    out.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  }
  out.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return out;
}

inline void send_descriptor(int socket, int fd) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  *reinterpret_cast<int*>(CMSG_DATA(head)) = fd;
  (void)::sendmsg(socket, &message, 0);
}

inline Fd receive_descriptor(int socket) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) return {};
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  return head == nullptr ? Fd() : Fd(*reinterpret_cast<const int*>(CMSG_DATA(head)));
}

// Between fork and exec: async-signal-safe calls only.
[[noreturn]] inline void become(const char* folder, const char* shell_command,
                                const sock_fprog& program, int socket, int out, int err) {
  const long listener = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::chdir(folder) != 0
                            ? -1
                            : ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                        SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (listener < 0) ::_exit(126);
  send_descriptor(socket, static_cast<int>(listener));
  ::close(static_cast<int>(listener));
  if (::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) ::_exit(126);
  ::execl("/bin/sh", "sh", "-c", shell_command, nullptr);
  ::_exit(126);
}

inline std::string linked(const std::string& link) {
  std::array<char, PATH_MAX> path{};
  const ssize_t n = ::readlink(link.c_str(), path.data(), path.size());
  return n < 0 ? "" : std::string(path.data(), static_cast<std::size_t>(n));
}

inline std::string text_at(pid_t thread, std::uint64_t address) {
  std::string out;
  std::array<char, 256> piece{};
  // In pieces that end where a page does: what is behind the text may not be mapped.
  while (out.size() < PATH_MAX) {
    const std::size_t size = piece.size() - address % piece.size();
    iovec here{piece.data(), size}, there{reinterpret_cast<void*>(address), size};
    const ssize_t n = ::process_vm_readv(thread, &here, 1, &there, 1, 0);
    if (n <= 0) break;
    const std::string_view got(piece.data(), static_cast<std::size_t>(n));
    const auto end = got.find('\0');
    out += got.substr(0, end);
    if (end != std::string_view::npos) break;
    address += static_cast<std::uint64_t>(n);
  }
  return out;
}

/// A stopped call as the supervisor sees it.
class Stopped {
 public:
  Stopped(const seccomp_notif& request, pid_t program)
      : request_(request), process_("/proc/" + std::to_string(request.pid)) {
    for (const Known& known : kKnown) {
      if (known.number == request.data.nr) known_ = &known;
    }
    own_ = std::filesystem::exists("/proc/" + std::to_string(program) + "/task/" +
                                   std::to_string(request.pid));
  }

  /// False: it leaves every disk as it is.
  [[nodiscard]] bool describe(const std::string& folder, Call& out) const {
    const auto& args = request_.data.args;
    std::string path, from;
    switch (known_->by) {
      case By::descriptor:
      case By::third_descriptor:
        path =
            linked(process_ + "/fd/" + std::to_string(args[known_->by == By::descriptor ? 0 : 2]));
        break;
      case By::path:
        path = absolute(AT_FDCWD, args[0]);
        break;
      case By::path_at:
        path = absolute(static_cast<int>(args[0]), args[1]);
        break;
      case By::second_path:
        path = absolute(AT_FDCWD, args[1]);
        break;
      case By::second_path_at:
        path = absolute(static_cast<int>(args[1]), args[2]);
        break;
      case By::two_paths:
        from = absolute(AT_FDCWD, args[0]);
        path = absolute(AT_FDCWD, args[1]);
        break;
      case By::two_paths_at:
        from = absolute(static_cast<int>(args[0]), args[1]);
        path = absolute(static_cast<int>(args[2]), args[3]);
        break;
    }
    if (!on_disk(path) || !changes(from.empty() ? path : from)) return false;
    out.name = known_->name;
    out.own = own_;
    // A file that is there can be opened, and emptied.
    out.needs_room = known_->needs_room && !(opens() && there(path));
    out.path = path == folder                   ? "."
               : path.starts_with(folder + "/") ? path.substr(folder.size() + 1)
                                                : path;
    return true;
  }

 private:
  [[nodiscard]] static bool there(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0;
  }
  [[nodiscard]] static bool on_disk(const std::string& path) {
    return path.starts_with('/') && !path.starts_with("/memfd:") && !path.starts_with("/dev/") &&
           !path.starts_with("/proc/");
  }
  [[nodiscard]] bool opens() const {
    return known_->number == SYS_openat || std::string_view(known_->name) == "open" ||
           std::string_view(known_->name) == "creat";
  }
  [[nodiscard]] std::string absolute(int folder, std::uint64_t text) const {
    std::string path = text_at(static_cast<pid_t>(request_.pid), text);
    if (path.starts_with('/')) return path;
    const std::string base = linked(
        process_ + (folder == AT_FDCWD ? std::string("/cwd") : "/fd/" + std::to_string(folder)));
    return path.empty() ? base : base + "/" + path;
  }
  // What makes nothing new and removes nothing that is there fails, or does nothing.
  [[nodiscard]] bool changes(const std::string& path) const {
    const std::string_view name = known_->name;
    if (known_->by == By::descriptor || known_->by == By::third_descriptor) return true;
    if (name.starts_with("mkdir") || name.starts_with("symlink")) return !there(path);
    if (!opens()) return there(path);
    if (name == "creat") return true;
    const std::uint64_t flags = request_.data.args[name == "open" ? 1 : 2];
    if ((flags & O_TRUNC) != 0 && there(path)) return true;
    return (flags & O_TMPFILE) == O_TMPFILE || ((flags & O_CREAT) != 0 && !there(path));
  }

  const seccomp_notif& request_;
  std::string process_;
  const Known* known_ = nullptr;
  bool own_ = true;
};

inline Fd memory_file() {
  Fd out(::memfd_create("weir-output", MFD_CLOEXEC));
  REQUIRE(out.valid());
  return out;
}

inline std::string content_of(const Fd& fd) {
  std::string out;
  std::array<char, 65536> piece{};
  while (true) {
    const ssize_t n = ::pread(fd.get(), piece.data(), piece.size(), static_cast<off_t>(out.size()));
    if (n <= 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace supervisor

/// Runs a command, as a shell reads it, in `folder`, and asks `judge` before each call that changes
/// a disk. Returns when the program and all its children have ended.
inline Ended supervise(const std::string& folder, const std::string& command,
                       const std::function<Verdict(const Call&)>& judge) {
  const std::string real = std::filesystem::canonical(folder).string();
  const std::string shell_command = "exec " + command;
  std::vector<sock_filter> filter = supervisor::filter();
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  const Fd out = supervisor::memory_file(), err = supervisor::memory_file();
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const Fd mine(ends[0]);
  Fd theirs(ends[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    supervisor::become(real.c_str(), shell_command.c_str(), program, theirs.get(), out.get(),
                       err.get());
  }
  REQUIRE(pid > 0);
  theirs = Fd();
  const Fd ended_flag(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  REQUIRE(ended_flag.valid());
  const Fd listener = supervisor::receive_descriptor(mine.get());
  REQUIRE_MESSAGE(listener.valid(), "the kernel does not let calls be supervised");
  Ended ended;
  bool reaped = false;
  for (;;) {
    std::array<pollfd, 2> ready{{{listener.get(), POLLIN, 0}, {ended_flag.get(), POLLIN, 0}}};
    if (::poll(ready.data(), reaped ? 1 : 2, -1) < 0 && errno == EINTR) continue;
    if (!reaped && ready[1].revents != 0) {
      // Before Linux 6.11 the listener hears of the end of a process only when it is reaped.
      REQUIRE(::waitpid(pid, &ended.status, 0) == pid);
      reaped = true;
    }
    if ((ready[0].revents & POLLIN) == 0) {
      if (reaped && (ready[0].revents & POLLHUP) != 0) break;  // nobody is left who could call
      continue;
    }
    seccomp_notif request{};
    if (::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) continue;
    Call call;
    const Verdict verdict =
        supervisor::Stopped(request, pid).describe(real, call) ? judge(call) : Verdict::goes_on;
    if (verdict == Verdict::kill) {
      ::kill(pid, SIGKILL);
      continue;
    }
    // The call begins again once the signal was taken, or goes on.
    if (verdict == Verdict::interrupt) ::kill(pid, SIGINT);
    seccomp_notif_resp answer{};
    answer.id = request.id;
    answer.error = verdict == Verdict::no_space ? -ENOSPC : 0;
    answer.flags = verdict == Verdict::no_space ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    (void)::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
  ended.out = supervisor::content_of(out);
  ended.err = supervisor::content_of(err);
  return ended;
}

}  // namespace weir::test
