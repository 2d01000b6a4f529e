#include "deployer/node/edge/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "manifests/base/edge/file.h"

namespace weir::node {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLongestOutput = 64U << 20;

/// The input as a file in memory: no pipe that could fill up while the tool's output waits for us.
Result<Fd> file_of(std::string_view input) {
  Fd file(::memfd_create("input", MFD_CLOEXEC));
  if (!file.valid()) return fail_errno(Errc::io, errno, "memfd");
  while (!input.empty()) {
    const ssize_t n = ::write(file.get(), input.data(), input.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(Errc::io, errno, "memfd");
    input.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno(Errc::io, errno, "memfd");
  return file;
}

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(Errc::io, errno, "pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// Reads both pipes until they end. errors: timeout, exhausted
Status drain(const Fd& out_end, const Fd& error_end, Clock::time_point deadline,
             wireguard::SecretBytes& out, wireguard::SecretBytes& error) {
  std::array<pollfd, 2> ends{{{out_end.get(), POLLIN, 0}, {error_end.get(), POLLIN, 0}}};
  wireguard::SecretBytes piece(16384);
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return fail(Errc::timeout, "did not end in time");
    if (::poll(ends.data(), ends.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      return fail_errno(Errc::io, errno, "poll");
    }
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      const ssize_t n = ::read(ends[i].fd, piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        ends[i].fd = -1;
        continue;
      }
      auto& to = i == 0 ? out : error;
      if (to.size() + static_cast<std::size_t>(n) > kLongestOutput) {
        return fail(Errc::exhausted, "said too much");
      }
      to.insert(to.end(), piece.begin(), piece.begin() + n);
    }
  }
  return {};
}

/// Waits for a child whose pipes have ended, which normally is at once. returns its wait status
Result<int> reap(pid_t child, Clock::time_point deadline) {
  for (;;) {
    int status = 0;
    const pid_t gone = ::waitpid(child, &status, WNOHANG);
    if (gone == child) return status;
    if (gone < 0 && errno != EINTR) return fail_errno(Errc::io, errno, "waitpid");
    if (Clock::now() >= deadline) return fail(Errc::timeout, "did not end in time");
    ::poll(nullptr, 0, 1);
  }
}

}  // namespace

Result<wireguard::SecretBytes> run_program(const std::vector<std::string>& arguments,
                                           std::string_view input,
                                           std::chrono::milliseconds patience) {
  const std::string& path = arguments.at(0);
  const auto deadline = Clock::now() + patience;
  TRY_ASSIGN_IN(const Fd file, file_of(input), path);
  TRY_ASSIGN_IN(Pipe output, make_pipe(), path);
  TRY_ASSIGN_IN(Pipe complaint, make_pipe(), path);

  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (std::string& copy : copies) argv.push_back(copy.data());
  argv.push_back(nullptr);
  char* environment[] = {nullptr};
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, file.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, complaint.write.get(), STDERR_FILENO);
  pid_t child = 0;
  const int sys = ::posix_spawn(&child, path.c_str(), &actions, nullptr, argv.data(), environment);
  ::posix_spawn_file_actions_destroy(&actions);
  if (sys != 0) {
    return fail_errno(sys == ENOENT ? Errc::not_found : Errc::io, sys, "cannot start " + path);
  }
  output.write = Fd();
  complaint.write = Fd();

  wireguard::SecretBytes out, error;
  Result<int> ended = fail(Errc::bug, "not ended");
  if (auto drained = drain(output.read, complaint.read, deadline, out, error); !drained) {
    ended = tl::unexpected(std::move(drained).error());
  } else {
    ended = reap(child, deadline);
  }
  if (!ended) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return tl::unexpected(std::move(ended).error().in(path));
  }
  if (WIFEXITED(*ended) && WEXITSTATUS(*ended) == 0) return out;
  const std::string said(error.begin(), std::find(error.begin(), error.end(), '\n'));
  return fail(Errc::kernel, path + " failed: " + (said.empty() ? "it did not say why" : said));
}

}  // namespace weir::node
