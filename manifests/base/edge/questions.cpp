#include "manifests/base/edge/questions.h"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <utility>

#include "manifests/base/printable.h"

namespace weir {
namespace {

constexpr std::chrono::milliseconds kLookUp{100};

Result<std::string> read_line(const std::atomic<bool>& interrupted) {
  // A signal may come before anybody waits for the line, and would not end that wait.
  pollfd typed{STDIN_FILENO, POLLIN, 0};
  while (!interrupted && ::poll(&typed, 1, static_cast<int>(kLookUp.count())) <= 0) {
  }
  if (interrupted) return fail(Errc::busy, "interrupted: nothing was written");
  std::string line;
  if (!std::getline(std::cin, line)) return fail(Errc::not_found, "no answer: nothing was written");
  return line;
}

}  // namespace

Status ask(const std::string& question, const std::string& otherwise,
           const std::function<Status(const std::string& answer)>& take,
           const std::atomic<bool>& interrupted) {
  for (;;) {
    std::cerr << question << (otherwise.empty() ? "" : " [" + otherwise + "]") << ": "
              << std::flush;
    TRY_ASSIGN(std::string line, read_line(interrupted));
    if (line.find_first_not_of(kBetweenAnswers) == std::string::npos) line = otherwise;
    const Status taken = take(line);
    if (taken) return {};
    std::cerr << printable(taken.error().message) << "\n";
  }
}

}  // namespace weir
