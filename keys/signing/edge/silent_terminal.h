#pragma once

#include <string>

#include "keys/signing/secret.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// The controlling terminal, for a line that nobody shall see. There is one of it at a time.
///
/// Echo comes back whatever ends or stops the process meanwhile, but for SIGKILL and SIGSTOP: each
/// such signal first restores the terminal and then does what it would have done. After a stop the
/// line is asked for anew.
class SilentTerminal {
 public:
  /// errors: unauthorized: there is no terminal
  static Result<SilentTerminal> open();
  SilentTerminal(SilentTerminal&& other) noexcept;
  SilentTerminal& operator=(SilentTerminal&&) = delete;
  ~SilentTerminal();

  /// Asks with `prompt` and reads one line of at most 1024 bytes into locked memory. Backspace and
  /// Ctrl-U correct it; every other control character (C0 and C1), Ctrl-C and Ctrl-D among them,
  /// gives up, and so does what `printable` would escape of UTF-8. Bytes that are none join the
  /// line. errors: unauthorized: given up, or a signal that the program survives; invalid_input:
  /// longer
  [[nodiscard]] Result<Secret> ask(const std::string& prompt);

 private:
  explicit SilentTerminal(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace weir::keys
