#include "builder/processes/edge/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr off_t kMaxOutput = 64 << 20;

Result<Fd> memory_file(const char* name) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd.valid()) return fail_errno(Errc::io, errno, "memfd_create");
  return fd;
}

Result<std::string> content_of(const Fd& fd) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(Errc::io, errno, "fstat");
  if (info.st_size > kMaxOutput) return fail(Errc::exhausted, "wrote more than 64 MiB");
  std::string out(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        ::pread(fd.get(), out.data() + done, out.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail_errno(Errc::io, n < 0 ? errno : EIO, "read back");
    done += static_cast<std::size_t>(n);
  }
  return out;
}

Status fill(const Fd& fd, std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pwrite(fd.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(Errc::io, errno, "write");
    done += static_cast<std::size_t>(n);
  }
  return {};
}

// Waits for the process through a pidfd, so that no signal handler is needed.
Result<int> wait_for(pid_t pid, std::chrono::milliseconds limit) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  bool ended = false;
  int sys = process.valid() ? 0 : errno;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (process.valid() && !ended && sys == 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    struct pollfd poll {
      process.get(), POLLIN, 0
    };
    const int n = ::poll(&poll, 1, static_cast<int>(left.count()));
    if (n < 0 && errno != EINTR) sys = errno;
    ended = n > 0;
  }
  if (!ended) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return fail_errno(Errc::io, errno, "waitpid");
  }
  if (sys != 0) return fail_errno(Errc::io, sys, "wait");
  if (!ended) {
    return fail(Errc::timeout, "did not end within " + std::to_string(limit.count()) + " ms");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<std::string> find_program(const std::string& name) {
  for (const char* folder : {"/usr/local/bin/", "/usr/bin/", "/bin/"}) {
    std::string path = folder + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return fail(Errc::not_found, "the program '" + name + "' is not installed");
}

}  // namespace

Result<ChildResult> run_child(const std::vector<std::string>& argv, std::string_view input,
                              std::chrono::milliseconds limit) {
  TRY_ASSIGN(const std::string program, find_program(argv.at(0)));
  std::array<Fd, 4> files;
  for (Fd& file : files) {
    TRY_ASSIGN_IN(file, memory_file("weir-child"), argv[0]);
  }
  TRY_IN(fill(files[0], input), argv[0]);

  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/local/bin:/usr/bin:/bin", locale = "LC_ALL=C";
  std::array<char*, 3> environment = {path.data(), locale.data(), nullptr};

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  // First out of the way of 0 to 3, then to their places; the copies there lose O_CLOEXEC.
  std::array<Fd, 4> high;
  int sys = 0;
  for (std::size_t i = 0; i < files.size() && sys == 0; ++i) {
    high[i] = Fd(::fcntl(files[i].get(), F_DUPFD_CLOEXEC, 10));
    if (!high[i].valid()) sys = errno;
    if (sys == 0) {
      sys = ::posix_spawn_file_actions_adddup2(&actions, high[i].get(), static_cast<int>(i));
    }
  }
  pid_t pid = -1;
  if (sys == 0) {
    sys = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments.data(),
                        environment.data());
  }
  ::posix_spawn_file_actions_destroy(&actions);
  if (sys != 0) return fail_errno(Errc::io, sys, "cannot run " + program);

  ChildResult out;
  TRY_ASSIGN_IN(out.exit_code, wait_for(pid, limit), argv[0]);
  TRY_ASSIGN_IN(out.out, content_of(files[1]), argv[0]);
  TRY_ASSIGN_IN(out.err, content_of(files[2]), argv[0]);
  TRY_ASSIGN_IN(out.extra, content_of(files[3]), argv[0]);
  return out;
}

}  // namespace weir::builder
