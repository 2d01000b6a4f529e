#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "manifests/base/edge/process_id.h"
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
  std::chrono::milliseconds timeout{600000};
  bool show_errors = false;  ///< standard error goes through to ours instead of `err`
  bool deaf = false;         ///< runs on after an interrupt: for cleaning up
};

/// Runs a program (found where programs are) and waits. The status is for the caller to judge.
/// errors: not_found; timeout, and the program was killed; busy: interrupted; io
[[nodiscard]] Result<Output> run(const Argv& argv, const RunOptions& options = {});
/// The same, where anything but exit status 0 is an error that quotes the program.
Status must_run(const Argv& argv, const RunOptions& options = {});
[[nodiscard]] Result<std::string> must_read(const Argv& argv, const RunOptions& options = {});

/// Starts a program that stays, in a session of its own, with its output in a file.
[[nodiscard]] Result<ProcessId> start(const Argv& argv, const std::string& log);
/// A child's exit status, or 128 + the signal that ended it; nullopt: still there after `patience`.
[[nodiscard]] std::optional<int> wait_for_exit(const ProcessId& child,
                                               std::chrono::milliseconds patience);
/// SIGTERM, then SIGKILL, to exactly this process; gone already is fine.
void end(const ProcessId& process, std::chrono::milliseconds patience);

}  // namespace weir::lab
