#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "deployer/pool/edge/process.h"
#include "manifests/base/result.h"
#include "tests/lab/plan.h"

namespace weir::lab {

/// After this, Ctrl-C and SIGTERM make the waits below end with an error instead of ending the
/// process, so that everything is cleaned up on the way out.
void take_interrupts();
[[nodiscard]] bool interrupted();

struct Output {
  int status = -1;  ///< exit status, or 128 + signal
  std::string out, err;
};

struct RunOptions {
  std::string input{};
  std::chrono::milliseconds timeout{120000};
  bool show_errors = false;  ///< standard error goes through to ours instead of `err`
  bool deaf = false;         ///< runs on after an interrupt: for cleaning up
};

/// Runs a program (found in PATH) and waits. The status is for the caller to judge.
/// errors: not_found; timeout, and the program was killed; io
[[nodiscard]] Result<Output> run(const Argv& argv, const RunOptions& options = {});
/// The same, where anything but exit status 0 is an error that quotes the program.
Status must_run(const Argv& argv, const RunOptions& options = {});
[[nodiscard]] Result<std::string> must_read(const Argv& argv, const RunOptions& options = {});

/// Starts a program that stays, in a session of its own, with its output in a file.
[[nodiscard]] Result<pool::ProcessId> start(const Argv& argv, const std::string& log);
/// SIGTERM, then SIGKILL, to exactly this process; gone already is fine.
void end(const pool::ProcessId& process, std::chrono::milliseconds patience);

}  // namespace weir::lab
