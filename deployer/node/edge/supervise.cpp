#include <poll.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "deployer/node/edge/boot.h"
#include "deployer/node/edge/service_runner.h"
#include "deployer/node/restart_policy.h"
#include "manifests/base/edge/file.h"
#include "manifests/messages/node_api.h"

namespace weir::node {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kFarewell{3000};
constexpr milliseconds kLongestSleep{60000};

sigset_t awaited() {
  sigset_t set{};
  ::sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGTERM, SIGPWR, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
  return set;
}

// What PID 1 waits for: signals, and what services have to say.
class Loop {
 public:
  explicit Loop(const NodeLog& log) : log_(log), services_(ServiceRunner::of_image(log)) {
    const sigset_t set = awaited();
    signals_ = Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!signals_.valid()) log_.say(std::string("no signalfd: ") + std::strerror(errno));
  }

  [[noreturn]] void run() {
    services_.look_around();
    for (;;) {
      if (agent_ <= 0 && Clock::now() >= next_start_) start_agent();
      services_.act();
      const auto until_start =
          std::chrono::ceil<milliseconds>(std::max(next_start_ - Clock::now(), Clock::duration(0)));
      wait(services_.patience(agent_ > 0 ? kLongestSleep : std::min(until_start, kLongestSleep)));
      if (ending_) power_off();
    }
  }

 private:
  // One turn: what came is taken, whatever it is.
  void wait(milliseconds patience) {
    std::vector<pollfd> waiting{{signals_.get(), POLLIN, 0}};
    services_.add_descriptors(waiting);
    ::poll(waiting.data(), waiting.size(), static_cast<int>(patience.count()));
    services_.read(waiting);
    signalfd_siginfo signal{};
    while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
      if (signal.ssi_signo == SIGHUP) services_.look_around();
      if (signal.ssi_signo != SIGHUP && signal.ssi_signo != SIGCHLD) ending_ = true;
    }
    reap();
  }

  void reap() {
    int status = 0;
    for (pid_t gone = 0; (gone = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (services_.reap(gone, status) || gone != agent_) continue;
      agent_ = 0;
      const auto now = Clock::now();
      const auto delay =
          policy_.delay_after(std::chrono::duration_cast<milliseconds>(now - started_));
      next_start_ = now + delay;
      if (ending_) continue;
      log_.say("weir-node " + described(status) + ", starting it again in " +
               std::to_string(delay.count()) + " ms");
    }
  }

  static std::string described(int status) {
    if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
    return "ended with status " + std::to_string(WEXITSTATUS(status));
  }

  void start_agent() {
    started_ = Clock::now();
    agent_ = ::fork();
    if (agent_ == 0) be_agent();
    if (agent_ > 0) return;
    log_.say(std::string("cannot start weir-node: ") + std::strerror(errno));
    next_start_ = started_ + policy_.delay_after(milliseconds(0));
  }

  [[noreturn]] void be_agent() const {
    ::setsid();
    const sigset_t set = awaited();
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
    const std::string path(manifests::kAgentPath);
    std::string name = "weir-node", search = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", home = "HOME=/";
    char* arguments[] = {name.data(), nullptr};
    char* environment[] = {search.data(), home.data(), nullptr};
    ::execve(path.c_str(), arguments, environment);
    log_.say("cannot start " + path + ": " + std::strerror(errno));
    ::_exit(127);
  }

  [[noreturn]] void power_off() {
    log_.say("powering off");
    if (agent_ > 0) ::kill(agent_, SIGTERM);
    services_.halt();
    const auto deadline = Clock::now() + kFarewell;
    while (Clock::now() < deadline) {
      services_.act();
      if (agent_ <= 0 && !services_.any_runs()) break;
      wait(milliseconds(100));
    }
    ::kill(-1, SIGKILL);
    ::sync();
    ::reboot(RB_POWER_OFF);
    log_.say(std::string("cannot power off: ") + std::strerror(errno));
    for (;;) ::pause();
  }

  const NodeLog& log_;
  ServiceRunner services_;
  Fd signals_;
  RestartPolicy policy_;
  pid_t agent_ = 0;
  Clock::time_point started_, next_start_ = Clock::now();
  bool ending_ = false;
};

}  // namespace

void block_signals() {
  const sigset_t set = awaited();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

void supervise(const NodeLog& log) {
  ::reboot(RB_DISABLE_CAD);  // ctrl-alt-del becomes SIGINT
  Loop(log).run();
}

}  // namespace weir::node
