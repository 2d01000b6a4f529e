#include "keys/signing/edge/silent_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <string_view>
#include <utility>

#include "manifests/base/printable.h"
#include "manifests/base/utf8.h"

namespace weir::keys {
namespace {

constexpr std::size_t kLongest = 1024;

// signal(7): all whose default is to end or stop a process and that can be caught, but for the
// real-time ones.
constexpr std::array kSignals = {SIGHUP,    SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                                 SIGFPE,    SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,
                                 SIGSTKFLT, SIGTSTP, SIGTTIN, SIGTTOU, SIGXCPU, SIGXFSZ, SIGVTALRM,
                                 SIGPROF,   SIGIO,   SIGPWR,  SIGSYS};

/// Calls `what` with each signal to catch. Which are real-time ones only the C library knows.
template <class What>
void for_each_signal(const What& what) {
  for (const int signal : kSignals) what(signal);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) what(signal);
}

bool stops(int signal) {
  return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/// Nothing can be waited for after these: what they point at may be broken.
bool is_fault(int signal) {
  return signal == SIGILL || signal == SIGTRAP || signal == SIGABRT || signal == SIGBUS ||
         signal == SIGFPE || signal == SIGSEGV || signal == SIGSYS;
}

// A handler has no other way to what it needs.
struct Shared {
  int terminal = -1;
  std::array<int, 2> told{-1, -1};  ///< a pipe: numbers of signals
  termios before{}, silent{};
  std::array<struct sigaction, NSIG> actions{};  ///< by signal
};
Shared shared;

void put_back(int signal) {
  ::sigaction(signal, &shared.actions[static_cast<std::size_t>(signal)], nullptr);
}

void on_signal(int signal) {
  const int kept = errno;
  ::tcsetattr(shared.terminal, TCSANOW, &shared.before);
  if (is_fault(signal)) {
    // Blocked until this returns, then what it would have done.
    put_back(signal);
    ::raise(signal);
  } else {
    const auto number = static_cast<unsigned char>(signal);
    // Where the pipe is full the reader has been told.
    if (::write(shared.told[1], &number, 1) < 0) errno = kept;
  }
  errno = kept;
}

void catch_signals() {
  struct sigaction own {};
  own.sa_handler = on_signal;
  // With SIGTTOU blocked a process in the background may restore the terminal too.
  ::sigfillset(&own.sa_mask);
  for_each_signal([&own](int signal) {
    struct sigaction& before = shared.actions[static_cast<std::size_t>(signal)];
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(signal, &own, nullptr);
  });
}

void release_signals() {
  for_each_signal(put_back);
}

bool fall_silent() {
  return ::tcsetattr(shared.terminal, TCSAFLUSH, &shared.silent) == 0;
}

void say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(shared.terminal, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// Drops the last character, of however many bytes of UTF-8.
std::size_t without_last(const Secret& line, std::size_t size) {
  while (size > 0 && (line.bytes()[size - 1] & 0xc0) == 0x80) --size;
  return size > 0 ? size - 1 : 0;
}

struct Key {
  enum class Kind { typed, signal, end } kind;
  unsigned char value = 0;
};

Key next_key() {
  for (;;) {
    std::array<pollfd, 2> ready{pollfd{shared.terminal, POLLIN, 0},
                                pollfd{shared.told[0], POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return {Key::Kind::end};
    Key out{Key::Kind::signal};
    if (::read(shared.told[0], &out.value, 1) == 1) return out;
    if ((ready[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    out.kind = Key::Kind::typed;
    const ssize_t n = ::read(shared.terminal, &out.value, 1);
    if (n == 1) return out;
    if (n == 0 || errno != EINTR) return {Key::Kind::end};
  }
}

tl::unexpected<Error> given_up() {
  say("\n");
  return fail(Errc::unauthorized, "no passphrase was given");
}

/// The same because of a key that few would know to end a line.
tl::unexpected<Error> given_up_by(std::string_view what) {
  auto out = given_up();
  out.value().message += ": " + std::string(what) +
                         " ended it, which a terminal does not show; one that has it goes into "
                         "WEIR_PASSPHRASE";
  return out;
}

/// What the last character is, where it may not join a passphrase; empty: it may, or is not whole.
std::string_view unseen(std::string_view typed) {
  std::size_t at = typed.size() - 1;
  while (at > 0 && typed.size() - at < 4 && (typed[at] & 0xc0) == 0x80) --at;
  const Utf8Character last = utf8_character(typed, at);
  if (!last.good || at + last.size != typed.size() || is_printable(typed.substr(at))) return {};
  return last.value < 0xa0 ? "a control character"
                           : "a character that cannot be seen, or turns the direction of writing,";
}

}  // namespace

Result<SilentTerminal> SilentTerminal::open() {
  SilentTerminal out(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (out.fd_ < 0 || ::tcgetattr(out.fd_, &shared.before) != 0) {
    return fail(Errc::unauthorized,
                "there is no terminal to ask for a passphrase on; set WEIR_PASSPHRASE");
  }
  if (::pipe2(shared.told.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return fail_errno(Errc::io, errno, "terminal");
  }
  shared.terminal = out.fd_;
  shared.silent = shared.before;
  // Keys that send signals are off too: they arrive as the characters that they are.
  shared.silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
  shared.silent.c_cc[VMIN] = 1;
  shared.silent.c_cc[VTIME] = 0;
  catch_signals();
  if (!fall_silent()) return fail_errno(Errc::io, errno, "terminal");
  return out;
}

SilentTerminal::SilentTerminal(SilentTerminal&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

SilentTerminal::~SilentTerminal() {
  if (fd_ < 0) return;
  if (shared.terminal == fd_) {
    ::tcsetattr(fd_, TCSAFLUSH, &shared.before);
    release_signals();
    for (int& end : shared.told) ::close(std::exchange(end, -1));
    shared.terminal = -1;
  }
  ::close(fd_);
}

Result<Secret> SilentTerminal::ask(const std::string& prompt) {
  TRY_ASSIGN(Secret line, Secret::of_size(kLongest));
  std::size_t size = 0;
  say(prompt);
  for (;;) {
    const Key key = next_key();
    if (key.kind == Key::Kind::end) return given_up();
    if (key.kind == Key::Kind::signal) {
      // The handler gave the terminal back. Now what the signal would have done.
      release_signals();
      ::kill(::getpid(), key.value);
      if (!stops(key.value)) return given_up();
      catch_signals();
      if (!fall_silent()) return given_up();
      line.shrink(0);
      TRY_ASSIGN(line, Secret::of_size(kLongest));
      size = 0;
      say(prompt);
      continue;
    }
    const unsigned char c = key.value;
    if (c == '\n' || c == '\r') break;
    if (c == 0x7f || c == '\b') {
      size = without_last(line, size);
    } else if (c == 21) {  // Ctrl-U
      size = 0;
    } else if (c == '\t' || c == 0x1b) {
      return given_up_by(c == '\t' ? "a tab" : "an escape, with which arrow keys begin,");
    } else if (c < ' ') {
      return given_up();
    } else if (size == kLongest) {
      return fail(Errc::invalid_input, "a passphrase has at most 1024 bytes");
    } else {
      line.writable()[size++] = c;
      const auto what = unseen(line.text().substr(0, size));
      if (!what.empty()) return given_up_by(what);
    }
  }
  say("\n");
  line.shrink(size);
  return line;
}

}  // namespace weir::keys
