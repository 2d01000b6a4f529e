#include <signal.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

#include "deployer/node/edge/boot.h"
#include "deployer/node/restart_policy.h"
#include "manifests/messages/node_api.h"

namespace weir::node {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kFarewell{3000};

sigset_t awaited() {
  sigset_t set{};
  ::sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGTERM, SIGPWR, SIGINT}) ::sigaddset(&set, signal);
  return set;
}

/// The signal that came, or 0.
int wait_signal(milliseconds patience) {
  const sigset_t set = awaited();
  const timespec limit{.tv_sec = patience.count() / 1000,
                       .tv_nsec = patience.count() % 1000 * 1'000'000};
  const int signal = ::sigtimedwait(&set, nullptr, &limit);
  return std::max(signal, 0);
}

std::string described(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

pid_t start_agent(const NodeLog& log) {
  const pid_t child = ::fork();
  if (child < 0) log.say(std::string("cannot start weir-node: ") + std::strerror(errno));
  if (child != 0) return child;
  ::setsid();
  const sigset_t set = awaited();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  const std::string path(manifests::kAgentPath);
  std::string name = "weir-node", search = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", home = "HOME=/";
  char* arguments[] = {name.data(), nullptr};
  char* environment[] = {search.data(), home.data(), nullptr};
  ::execve(path.c_str(), arguments, environment);
  log.say("cannot start " + path + ": " + std::strerror(errno));
  ::_exit(127);
}

[[noreturn]] void power_off(const NodeLog& log, pid_t agent) {
  log.say("powering off");
  if (agent > 0) ::kill(agent, SIGTERM);
  const auto deadline = Clock::now() + kFarewell;
  while (agent > 0 && Clock::now() < deadline) {
    if (::waitpid(agent, nullptr, WNOHANG) == agent) break;
    wait_signal(milliseconds(100));
  }
  ::kill(-1, SIGKILL);
  ::sync();
  ::reboot(RB_POWER_OFF);
  log.say(std::string("cannot power off: ") + std::strerror(errno));
  for (;;) ::pause();
}

}  // namespace

void block_signals() {
  const sigset_t set = awaited();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

void supervise(const NodeLog& log) {
  ::reboot(RB_DISABLE_CAD);  // ctrl-alt-del becomes SIGINT
  RestartPolicy policy;
  pid_t agent = 0;
  Clock::time_point started, next_start = Clock::now();
  for (;;) {
    if (agent <= 0 && Clock::now() >= next_start) {
      started = Clock::now();
      agent = start_agent(log);
      if (agent < 0) next_start = started + policy.delay_after(milliseconds(0));
    }
    const auto patience = agent > 0 ? milliseconds(60000)
                                    : std::chrono::ceil<milliseconds>(
                                          std::max(next_start - Clock::now(), Clock::duration(0)));
    const int signal = wait_signal(patience);
    if (signal != 0 && signal != SIGCHLD) power_off(log, agent);
    int status = 0;
    for (pid_t gone = 0; (gone = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (gone != agent) continue;
      agent = 0;
      const auto now = Clock::now();
      const auto delay =
          policy.delay_after(std::chrono::duration_cast<milliseconds>(now - started));
      next_start = now + delay;
      log.say("weir-node " + described(status) + ", starting it again in " +
              std::to_string(delay.count()) + " ms");
    }
  }
}

}  // namespace weir::node
