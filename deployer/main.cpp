// weir-deployer: boots pools, moves clients between them, and tells what is true.
#include <atomic>
#include <csignal>
#include <cstdio>

#include "deployer/commands/edge/commands.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/passphrase.h"
#include "manifests/base/edge/harden_process.h"

namespace {

std::atomic<bool> interrupted{false};

void on_signal(int) {
  interrupted = true;
}

}  // namespace

int main(int argc, char** argv) {
  weir::harden_process();
  if (const weir::Status kept = weir::keys::keep_passphrase(); !kept) {
    std::fprintf(stderr, "weir-deployer: %s\n", kept.error().message.c_str());
    return 1;
  }
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  return weir::run_program(weir::deployer::command_table(interrupted), argc, argv);
}
