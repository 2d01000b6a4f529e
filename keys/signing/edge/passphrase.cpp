#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"

namespace weir::keys {
namespace {

constexpr std::size_t kLongest = 1024;

/// The terminal without echo, one key at a time, for as long as the object lives. Signals from the
/// keyboard are off too: Ctrl-C arrives as a character, so nobody is left with a silent terminal.
class SilentTerminal {
 public:
  static Result<SilentTerminal> open() {
    Fd fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    termios before{};
    if (!fd.valid() || ::tcgetattr(fd.get(), &before) != 0) {
      return fail(Errc::unauthorized,
                  "there is no terminal to ask for a passphrase on; set WEIR_PASSPHRASE");
    }
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    if (::tcsetattr(fd.get(), TCSAFLUSH, &silent) != 0) {
      return fail_errno(Errc::io, errno, "terminal");
    }
    return SilentTerminal(std::move(fd), before);
  }
  SilentTerminal(SilentTerminal&&) = default;
  ~SilentTerminal() {
    if (fd_.valid()) ::tcsetattr(fd_.get(), TCSAFLUSH, &before_);
  }

  void say(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::write(fd_.get(), text.data(), text.size());
      if (n <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  Result<Secret> read_line() {
    TRY_ASSIGN(Secret line, Secret::of_size(kLongest));
    std::size_t size = 0;
    for (;;) {
      char c = 0;
      const ssize_t n = ::read(fd_.get(), &c, 1);
      if (n < 0 && errno == EINTR) continue;
      const bool given_up = n <= 0 || c == 3 || (c == 4 && size == 0);
      if (given_up || c == '\n' || c == '\r') say("\n");
      if (given_up) return fail(Errc::unauthorized, "no passphrase was given");
      if (c == '\n' || c == '\r') break;
      if (c == 0x7f || c == '\b') {
        if (size > 0) line.writable()[--size] = 0;
      } else if (c == 21) {  // Ctrl-U
        size = 0;
      } else if (size == kLongest) {
        return fail(Errc::invalid_input, "a passphrase has at most 1024 bytes");
      } else {
        line.writable()[size++] = static_cast<std::uint8_t>(c);
      }
    }
    line.shrink(size);
    return line;
  }

 private:
  SilentTerminal(Fd fd, const termios& before) : fd_(std::move(fd)), before_(before) {}
  Fd fd_;
  termios before_;
};

}  // namespace

Result<Secret> ask_passphrase(const std::string& prompt, Asking asking) {
  const auto usable = [&](const Secret& passphrase) -> Status {
    if (asking == Asking::known || passphrase.size() > 0) return {};
    return fail(Errc::unauthorized, "a passphrase must not be empty");
  };
  if (const char* given = std::getenv("WEIR_PASSPHRASE")) {
    TRY_ASSIGN(Secret out, Secret::copy_of(as_bytes(given)));
    TRY_IN(usable(out), "WEIR_PASSPHRASE");
    return out;
  }
  TRY_ASSIGN(SilentTerminal terminal, SilentTerminal::open());
  terminal.say(prompt + ": ");
  TRY_ASSIGN(Secret out, terminal.read_line());
  TRY(usable(out));
  if (asking == Asking::fresh) {
    terminal.say("The same again: ");
    TRY_ASSIGN(const Secret again, terminal.read_line());
    if (!again.equals(out)) return fail(Errc::unauthorized, "the two passphrases differ");
  }
  return out;
}

}  // namespace weir::keys
