#include "deployer/node/edge/node_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>

namespace weir::node {
namespace {

constexpr const char* kLog = "/run/weir/log";
constexpr const char* kOlderLog = "/run/weir/log.1";
constexpr off_t kRotateAt = 256 << 10;

// A console that does not take a line must not stop the node: results are looked at only to go on.
void write_best_effort(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void append_file(const char* path, std::string& to) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  std::array<char, 16384> piece{};
  for (ssize_t n = 0; (n = ::read(fd, piece.data(), piece.size())) > 0;) {
    to.append(piece.data(), static_cast<std::size_t>(n));
  }
  ::close(fd);
}

}  // namespace

void NodeLog::say(std::string_view line) const {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  std::array<char, 64> stamp{};
  std::snprintf(stamp.data(), stamp.size(), "[%6lld.%03ld] ", static_cast<long long>(now.tv_sec),
                now.tv_nsec / 1'000'000);
  std::string text = stamp.data() + who_ + ": ";
  for (const char c : line) text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  text += '\n';
  write_best_effort(STDERR_FILENO, text);

  // Opened for each line: two programs write, either may rotate.
  const int fd = ::open(kLog, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  write_best_effort(fd, text);
  struct stat info {};
  if (::fstat(fd, &info) == 0 && info.st_size > kRotateAt) ::rename(kLog, kOlderLog);
  ::close(fd);
}

std::string NodeLog::read_all() {
  std::string out;
  append_file(kOlderLog, out);
  append_file(kLog, out);
  return out;
}

}  // namespace weir::node
