#include "tests/lab/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

extern char** environ;

namespace weir::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::atomic<bool> interrupt_seen{false};

void on_interrupt(int) {
  interrupt_seen = true;
}

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(Errc::io, errno, "pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::string joined(const Argv& argv) {
  std::string out;
  for (const std::string& word : argv) out += (out.empty() ? "" : " ") + word;
  return out;
}

/// posix_spawn with three descriptors; -1 leaves ours in place.
Result<pid_t> launch(const Argv& argv, int in, int out, int err, bool session) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  if (in >= 0) ::posix_spawn_file_actions_adddup2(&actions, in, 0);
  if (out >= 0) ::posix_spawn_file_actions_adddup2(&actions, out, 1);
  if (err >= 0) ::posix_spawn_file_actions_adddup2(&actions, err, 2);
  // A session (or group) of its own: Ctrl-C reaches it through us, in the order we choose.
  ::posix_spawnattr_setflags(&attributes, session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, words[0], &actions, &attributes, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    return fail_errno(failed == ENOENT ? Errc::not_found : Errc::io, failed, argv.front());
  }
  return pid;
}

/// Reads what is there; false at the end.
bool drain(const Fd& fd, std::string& into) {
  std::array<char, 65536> piece{};
  const ssize_t n = ::read(fd.get(), piece.data(), piece.size());
  if (n > 0) into.append(piece.data(), static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && errno == EINTR);
}

}  // namespace

void take_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

bool interrupted() {
  return interrupt_seen;
}

Result<Output> run(const Argv& argv, const RunOptions& options) {
  TRY_ASSIGN(Pipe in, make_pipe());
  TRY_ASSIGN(Pipe out, make_pipe());
  TRY_ASSIGN(Pipe err, make_pipe());
  TRY_ASSIGN(const pid_t pid, launch(argv, in.read.get(), out.write.get(),
                                     options.show_errors ? -1 : err.write.get(), false));
  in.read = Fd();
  out.write = Fd();
  err.write = Fd();
  // Inputs are keys and configurations: far below what a pipe holds.
  if (::write(in.write.get(), options.input.data(), options.input.size()) <
      0) { /* it did not read */
  }
  in.write = Fd();

  Output output;
  const auto deadline = steady_clock::now() + options.timeout;
  bool asked = false;
  std::optional<Error> trouble;
  while (out.read.valid() || err.read.valid()) {
    if (!asked && interrupted() && !options.deaf) {
      ::kill(-pid, SIGINT);
      asked = true;
      trouble = Error{Errc::timeout, 0, argv.front() + ": interrupted"};
    }
    if (steady_clock::now() > deadline) {
      ::kill(-pid, SIGKILL);
      trouble = Error{Errc::timeout, 0,
                      joined(argv) + ": not done after " +
                          std::to_string(options.timeout.count() / 1000) + " s"};
      break;
    }
    std::array<pollfd, 2> wait{pollfd{out.read.get(), POLLIN, 0},
                               pollfd{err.read.get(), POLLIN, 0}};
    if (::poll(wait.data(), wait.size(), 50) <= 0) continue;
    if (wait[0].revents != 0 && !drain(out.read, output.out)) out.read = Fd();
    if (wait[1].revents != 0 && !drain(err.read, output.err)) err.read = Fd();
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (trouble) return tl::unexpected(std::move(*trouble));
  output.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

Result<std::string> must_read(const Argv& argv, const RunOptions& options) {
  TRY_ASSIGN(Output output, run(argv, options));
  if (output.status != 0) {
    std::string said = output.err.empty() ? output.out : output.err;
    while (!said.empty() && said.back() == '\n') said.pop_back();
    return fail(Errc::io, joined(argv) + ": exit status " + std::to_string(output.status) +
                              (said.empty() ? "" : ": " + said));
  }
  return std::move(output.out);
}

Status must_run(const Argv& argv, const RunOptions& options) {
  TRY(must_read(argv, options));
  return {};
}

Result<pool::ProcessId> start(const Argv& argv, const std::string& log) {
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd out(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!out.valid()) return fail_errno(Errc::io, errno, log);
  TRY_ASSIGN(const pid_t pid, launch(argv, null.get(), out.get(), out.get(), true));
  TRY_ASSIGN(const std::string text,
             read_file("/proc/" + std::to_string(pid) + "/stat", ByteCount{4096}));
  TRY_ASSIGN(const pool::ProcessStat stat, pool::parse_process_stat(text));
  return pool::ProcessId{pid, stat.start_ticks};
}

void end(const pool::ProcessId& process, milliseconds patience) {
  const auto there = pool::observe(process);
  if (there && !*there) return;
  ::kill(process.pid, SIGTERM);
  const auto ended = pool::wait_for_end(process, patience);
  if (ended && *ended) return;
  [[maybe_unused]] const auto killed = pool::kill_process(process);
  [[maybe_unused]] const auto gone = pool::wait_for_end(process, patience);
}

}  // namespace weir::lab
