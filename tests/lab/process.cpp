#include "tests/lab/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>

#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"

namespace weir::lab {
namespace {

using std::chrono::milliseconds;

std::atomic<bool> interrupt_seen{false};

void on_interrupt(int) {
  interrupt_seen = true;
}

std::string joined(const Argv& argv) {
  std::string out;
  for (const std::string& word : argv) out += (out.empty() ? "" : " ") + word;
  return out;
}

Result<Program> program_of(const Argv& argv) {
  Program out;
  TRY_ASSIGN(out.path, find_program(argv.front()));
  out.arguments.assign(argv.begin() + 1, argv.end());
  out.environment = our_environment();
  return out;
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
  TRY_ASSIGN(Program program, program_of(argv));
  if (options.show_errors) program.error = Stream::ours();
  // Ctrl-C reaches it through us, in the order we choose.
  program.group = ProcessGroup::own;
  RunLimits limits{options.timeout};
  if (!options.deaf) limits.interrupted = interrupted;
  TRY_ASSIGN_IN(Ended ended, weir::run(program, options.input, limits), joined(argv));
  return Output{ended.status, std::move(ended.output), std::move(ended.error)};
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

Result<ProcessId> start(const Argv& argv, const std::string& log) {
  const Fd out(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!out.valid()) return fail_errno(Errc::io, errno, log);
  TRY_ASSIGN(Program program, program_of(argv));
  program.output = program.error = Stream::to(out.get());
  program.group = ProcessGroup::session;
  return spawn(program);
}

std::optional<int> wait_for_exit(const ProcessId& child, milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int status = 0;
  while (::waitpid(child.pid, &status, WNOHANG) != child.pid) {
    if (std::chrono::steady_clock::now() > deadline) return std::nullopt;
    ::poll(nullptr, 0, 10);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void end(const ProcessId& process, milliseconds patience) {
  const auto there = observe(process);
  if (there && !*there) return;
  [[maybe_unused]] const Status asked = signal_process(process, SIGTERM);
  const auto ended = wait_for_end(process, patience);
  if (ended && *ended) return;
  [[maybe_unused]] const Status killed = kill_process(process);
  [[maybe_unused]] const auto gone = wait_for_end(process, patience);
}

}  // namespace weir::lab
