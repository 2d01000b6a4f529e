#pragma once

#include "deployer/node/edge/node_log.h"

namespace weir::node {

// The parts of weir-init. What fails is one line in the log, and the boot goes on: a node that
// comes up halfway can still be asked what is wrong, a dead PID 1 is a kernel panic.

/// /proc, /sys, /dev (devtmpfs), /dev/pts, /run, /tmp, the console as standard streams, /run/weir.
void mount_all(const NodeLog& log);

/// Loads the modules an image names (manifests::kModulesPath) and what they depend on.
void load_modules(const NodeLog& log);

/// Keeps the agent running and reaps orphans until the node is to end (SIGTERM, SIGPWR,
/// ctrl-alt-del as SIGINT), then ends every process and switches the machine off. Does not return.
[[noreturn]] void supervise(const NodeLog& log);

/// Blocks the signals `supervise` waits for; to be called first of all, so that none is lost.
void block_signals();

}  // namespace weir::node
