// weir-deployer: boots pools, moves clients between them, and tells what is true.
#include <sys/resource.h>

#include <atomic>
#include <csignal>

#include "deployer/commands/edge/commands.h"

namespace {

std::atomic<bool> interrupted{false};

void on_signal(int) {
  interrupted = true;
}

}  // namespace

int main(int argc, char** argv) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  // Private keys pass through this process: no core file may hold them.
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  return weir::run_program(weir::deployer::command_table(interrupted), argc, argv);
}
