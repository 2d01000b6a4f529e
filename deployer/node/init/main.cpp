// weir-init, PID 1 of a node: mounts, loads, starts the agent, reaps, and switches off. It reads
// nothing that comes from the network.
#include <unistd.h>

#include "deployer/node/edge/boot.h"

int main() {
  if (::getpid() != 1) {
    constexpr std::string_view kText = "weir-init: runs as PID 1 of a node's image only\n";
    return ::write(STDERR_FILENO, kText.data(), kText.size()) < 0 ? 1 : 2;
  }
  const weir::node::NodeLog log("init");
  weir::node::block_signals();
  weir::node::mount_all(log);
  weir::node::load_modules(log);
  weir::node::supervise(log);
}
