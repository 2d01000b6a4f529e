#include "manifests/base/edge/interruption.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <exception>
#include <string>
#include <thread>

#include "manifests/base/edge/unfinished.h"

namespace weir {
namespace {

// All that end a process and come from outside of it.
constexpr std::array kSignals = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,   SIGPIPE, SIGALRM,
                                 SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF, SIGPOLL};

// A handler has no other way to what it needs.
std::array<int, 2> told = {-1, -1};  // a pipe: numbers of signals
std::atomic<bool> interrupted = false;

void on_signal(int signal) {
  const int kept = errno;
  interrupted = true;
  const auto number = static_cast<unsigned char>(signal);
  // Where the pipe is full the reader has been told.
  if (::write(told[1], &number, 1) < 0) errno = kept;
  errno = kept;
}

void attend() {
  unsigned char number = 0;
  ssize_t n = 0;
  do {
    n = ::read(told[0], &number, 1);
  } while (n < 0 && errno == EINTR);
  if (n != 1) return;
  // Before the removal: between that and the end, other threads may begin something again. Whose
  // reader has gone (`| head`) is no news.
  if (number != SIGPIPE) {
    const std::string line = std::string(::program_invocation_short_name) + ": interrupted\n";
    // Nobody may be there to read it.
    (void)!::write(STDERR_FILENO, line.data(), line.size());
  }
  remove_begun();
  ::signal(number, SIG_DFL);
  ::kill(::getpid(), number);
  // Until that has ended us, what was begun stays locked.
  for (;;) ::pause();
}

}  // namespace

void clean_up_when_interrupted() {
  // A limit on files (RLIMIT_FSIZE) is an error of the write that meets it.
  ::signal(SIGXFSZ, SIG_IGN);
  // Without a pipe or a thread, signals do what they always did.
  if (::pipe2(told.data(), O_CLOEXEC) != 0) return;
  ::fcntl(told[1], F_SETFL, O_NONBLOCK);
  try {
    std::thread(attend).detach();
  } catch (const std::exception&) {
    return;
  }
  struct sigaction own {};
  own.sa_handler = on_signal;
  own.sa_flags = SA_RESTART;
  for (const int signal : kSignals) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(signal, &own, nullptr);
  }
}

void yield_to_interruption() {
  while (interrupted) ::pause();
}

}  // namespace weir
