#pragma once

namespace weir {

/// From now on signals that would end this process, and may come from outside, end it as they would
/// have anyway (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE and others), but first that is told on
/// stderr, and what it has begun and not finished is removed (unfinished.h),
/// whatever its threads are doing. Signals that are ignored (nohup) stay so, and who handles them
/// for a while, as a prompt does, handles them. A file that
/// grows past RLIMIT_FSIZE is an error of its write. Called once, in `main`.
void clean_up_when_interrupted();

/// Waits for the end where such a signal has come: whoever would now say that something failed
/// would only say what the signal did.
void yield_to_interruption();

}  // namespace weir
