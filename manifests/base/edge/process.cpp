#include "manifests/base/edge/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>

#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process_start.h"

extern char** environ;

namespace weir {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLookAgain{50};
// Who does not end by SIGINT is asked by SIGTERM after so long.
constexpr milliseconds kAskFirmly{2000};
constexpr std::array<int, 3> kPassedOn = {SIGINT, SIGTERM, SIGHUP};

std::atomic<pid_t> sibling{0};

void pass_on(int number) {
  const pid_t pid = sibling;
  if (pid > 0) ::kill(pid, number);
}

// Signals go to the child for as long as the object lives; a hang-up that is ignored (nohup) stays
// so. A shell's background jobs have SIGINT ignored, but who sends it to one means it.
class PassSignals {
 public:
  explicit PassSignals(pid_t pid) {
    sibling = pid;
    struct sigaction action {};
    action.sa_handler = pass_on;
    for (std::size_t i = 0; i < kPassedOn.size(); ++i) {
      ::sigaction(kPassedOn[i], nullptr, &before_[i]);
      if (kPassedOn[i] == SIGHUP && before_[i].sa_handler == SIG_IGN) continue;
      ::sigaction(kPassedOn[i], &action, nullptr);
    }
  }
  PassSignals(const PassSignals&) = delete;
  PassSignals& operator=(const PassSignals&) = delete;
  ~PassSignals() {
    for (std::size_t i = 0; i < kPassedOn.size(); ++i) {
      ::sigaction(kPassedOn[i], &before_[i], nullptr);
    }
    sibling = 0;
  }

 private:
  std::array<struct sigaction, kPassedOn.size()> before_{};
};

// A file in memory: no pipe that could fill up while the program's output waits for us.
Result<Fd> memory_of(std::string_view input) {
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

Result<Fd> open_nowhere() {
  Fd fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return fail_errno(Errc::io, errno, "/dev/null");
  return fd;
}

// What a captured stream writes into, and what of it was read.
struct Capture {
  Fd read, write;
  SecretBytes bytes;
};

Status open_capture(Capture& capture) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(Errc::io, errno, "pipe");
  capture.read = Fd(ends[0]);
  capture.write = Fd(ends[1]);
  // Our end only: the flag belongs to each end's own open file.
  if (::fcntl(capture.read.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail_errno(Errc::io, errno, "pipe");
  }
  return {};
}

// Reads what is there; closes at the end of the stream. errors: exhausted
Status drain(Capture& capture, ByteCount limit, SecretBytes& piece) {
  while (capture.read.valid()) {
    const ssize_t n = ::read(capture.read.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return {};
    if (n <= 0) {
      capture.read = Fd();
      return {};
    }
    if (capture.bytes.size() + static_cast<std::size_t>(n) > limit.value) {
      return fail(Errc::exhausted, "wrote more than " + print(limit));
    }
    capture.bytes.insert(capture.bytes.end(), piece.begin(), piece.begin() + n);
  }
  return {};
}

// Until when the program may run, and what was done to make it end.
class Patience {
 public:
  Patience(const Program& program, const Started& child, const RunLimits& limits)
      : target_(program.group == ProcessGroup::ours ? child.id.pid : -child.id.pid),
        limits_(limits),
        deadline_(Clock::now() + limits.time) {}

  /// How long to wait for news. Asks the program to end, or kills it, when its time is over.
  milliseconds next() {
    if (limits_.interrupted && !trouble_ && limits_.interrupted()) {
      trouble_ = Error{Errc::busy, 0, "interrupted"};
      interrupted_at_ = Clock::now();
      send(SIGINT);
    }
    // A shell that starts something at that moment loses it.
    if (interrupted_at_ && Clock::now() >= *interrupted_at_ + kAskFirmly) {
      interrupted_at_.reset();
      send(SIGTERM);
    }
    if (Clock::now() >= deadline_ && !killed_) {
      if (!trouble_) {
        trouble_ = Error{Errc::timeout, 0,
                         "did not end within " + std::to_string(limits_.time.count()) + " ms"};
      }
      if (limits_.grace.count() > 0 && !asked_) {
        asked_ = true;
        deadline_ = Clock::now() + limits_.grace;
        send(SIGTERM);
      } else {
        give_up(*trouble_);
      }
    }
    auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now());
    if (killed_ || (limits_.interrupted && left > kLookAgain)) left = kLookAgain;
    return std::max(left, milliseconds(0));
  }

  void give_up(Error trouble) {
    if (!trouble_) trouble_ = std::move(trouble);
    killed_ = true;
    send(SIGKILL);
  }

  [[nodiscard]] std::optional<Error>& trouble() { return trouble_; }

 private:
  void send(int signal) const { ::kill(target_, signal); }
  pid_t target_;  // it, or all of its group
  const RunLimits& limits_;
  Clock::time_point deadline_;
  std::optional<Clock::time_point> interrupted_at_;  // until it was asked again
  bool asked_ = false, killed_ = false;
  std::optional<Error> trouble_;
};

// Reads the streams until the program has ended, and then what is left in them.
void attend(const Started& child, std::array<Capture, 3>& captures, const RunLimits& limits,
            Patience& patience) {
  SecretBytes piece(65536);
  for (bool ended = false; !ended;) {
    std::array<pollfd, 4> wait{{{child.pidfd.get(), POLLIN, 0}}};
    for (std::size_t i = 0; i < captures.size(); ++i) {
      wait[i + 1] = {captures[i].read.valid() ? captures[i].read.get() : -1, POLLIN, 0};
    }
    const auto left = patience.next();
    const int ready =
        ::poll(wait.data(), wait.size(), static_cast<int>(std::min<long>(left.count(), INT_MAX)));
    if (ready <= 0) continue;
    ended = wait[0].revents != 0;
    for (Capture& capture : captures) {
      auto drained = drain(capture, limits.output, piece);
      if (drained) continue;
      capture.read = Fd();
      patience.give_up(std::move(drained).error());
    }
  }
}

Result<SecretEnded> run_attended(const Program& given, std::string_view input,
                                 const RunLimits& limits, bool pass_signals) {
  Program program = given;
  if (program.parent_death_signal == 0) program.parent_death_signal = SIGKILL;
  TRY_ASSIGN_IN(const Fd file, memory_of(input), program.path);
  TRY_ASSIGN_IN(const Fd nowhere, open_nowhere(), program.path);
  std::array<Capture, 3> captures;
  std::array<int, 4> streams = {file.get(), -1, -1, -1};
  const std::array<std::optional<Stream>, 3> wanted = {program.output, program.error,
                                                       program.extra};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i] || wanted[i]->is_ours()) continue;
    if (wanted[i]->is_captured()) TRY_IN(open_capture(captures[i]), program.path);
    streams[i + 1] = wanted[i]->is_captured()  ? captures[i].write.get()
                     : wanted[i]->is_nothing() ? nowhere.get()
                                               : wanted[i]->fd();
  }
  TRY_ASSIGN(const Started child, start_process(program, streams));
  for (Capture& capture : captures) capture.write = Fd();

  Patience patience(program, child, limits);
  int status = 0;
  {
    std::optional<PassSignals> passing;
    if (pass_signals) passing.emplace(child.id.pid);
    attend(child, captures, limits, patience);
    while (::waitpid(child.id.pid, &status, 0) < 0) {
      if (errno != EINTR) return fail_errno(Errc::io, errno, program.path + ": waitpid");
    }
  }
  if (patience.trouble()) {
    return tl::unexpected(std::move(*patience.trouble()).in(program.path));
  }
  return SecretEnded{exit_status(status), std::move(captures[0].bytes),
                     std::move(captures[1].bytes), std::move(captures[2].bytes)};
}

Ended plain(const SecretEnded& ended) {
  const auto text = [](const SecretBytes& bytes) {
    return std::string(bytes.begin(), bytes.end());
  };
  return {ended.status, text(ended.output), text(ended.error), text(ended.extra)};
}

}  // namespace

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  std::string_view folders(kProgramPath);
  folders.remove_prefix(folders.find('=') + 1);
  while (!folders.empty()) {
    const auto end = std::min(folders.find(':'), folders.size());
    std::string path = std::string(folders.substr(0, end)) + "/" + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
    folders.remove_prefix(std::min(folders.size(), end + 1));
  }
  return fail(Errc::not_found, "the program '" + name + "' is not installed");
}

Result<std::string> program_folder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size());
  if (n < 0) return fail_errno(Errc::io, errno, "/proc/self/exe");
  const std::string program(path.data(), static_cast<std::size_t>(n));
  const auto slash = program.rfind('/');
  return slash == 0 ? std::string("/") : program.substr(0, slash);
}

std::vector<std::string> our_environment() {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) out.emplace_back(*entry);
  return out;
}

Result<Ended> run(const Program& program, std::string_view input, const RunLimits& limits) {
  TRY_ASSIGN(const SecretEnded ended, run_attended(program, input, limits, false));
  return plain(ended);
}

Result<SecretEnded> run_for_secret(const Program& program, std::string_view input,
                                   const RunLimits& limits) {
  return run_attended(program, input, limits, false);
}

Result<Ended> run_sibling(const std::string& name, const std::vector<std::string>& arguments,
                          const RunLimits& limits) {
  TRY_ASSIGN(const std::string folder, program_folder());
  Program program;
  program.path = folder + "/" + name;
  if (::access(program.path.c_str(), X_OK) != 0) {
    return fail(Errc::not_found,
                program.path + ": no such program: build or install it beside this one");
  }
  program.arguments = arguments;
  program.environment = our_environment();
  program.error = Stream::ours();
  program.parent_death_signal = SIGTERM;
  TRY_ASSIGN(const SecretEnded ended, run_attended(program, {}, limits, true));
  return plain(ended);
}

Result<ProcessId> spawn(const Program& program) {
  TRY_ASSIGN_IN(const Fd nowhere, open_nowhere(), program.path);
  std::array<int, 4> streams = {nowhere.get(), -1, -1, -1};
  const std::array<std::optional<Stream>, 3> wanted = {program.output, program.error,
                                                       program.extra};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i] || wanted[i]->is_ours()) continue;
    if (wanted[i]->is_captured()) {
      return fail(Errc::bug, program.path + ": nobody reads what it would say");
    }
    streams[i + 1] = wanted[i]->is_nothing() ? nowhere.get() : wanted[i]->fd();
  }
  TRY_ASSIGN(const Started started, start_process(program, streams));
  return started.id;
}

Status require_success(const Program& program, int status, std::string_view said) {
  if (status == 0) return {};
  said = said.substr(0, said.find('\n'));
  return fail(Errc::io, program.path + ": exit status " + std::to_string(status) +
                            (said.empty() ? "" : ": " + std::string(said)));
}

}  // namespace weir
