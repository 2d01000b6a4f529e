#include "deployer/boot_check/edge/console_watch.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "deployer/pool/console_tail.h"
#include "manifests/base/edge/file.h"

namespace weir::boot_check {
namespace {

constexpr std::chrono::milliseconds kReadAgain{10};
constexpr std::size_t kMostLines = 20000;

}  // namespace

ConsoleWatch::ConsoleWatch(std::string path, std::chrono::steady_clock::time_point power_on)
    : path_(std::move(path)), power_on_(power_on), thread_([this] { watch(); }) {}

ConsoleWatch::~ConsoleWatch() {
  done_ = true;
  if (thread_.joinable()) thread_.join();
}

std::vector<ConsoleLine> ConsoleWatch::finish() {
  done_ = true;
  thread_.join();
  return std::move(lines_);
}

std::string ConsoleWatch::panic() {
  const std::lock_guard lock(guard_);
  return panic_;
}

void ConsoleWatch::watch() {
  Fd file;
  std::string rest;
  std::array<char, 16384> piece{};
  for (bool last = false; !last && lines_.size() < kMostLines;) {
    last = done_;
    if (!file.valid()) {
      if (auto opened = open_file_nofollow(path_)) file = *std::move(opened);
    }
    const ssize_t n = file.valid() ? ::read(file.get(), piece.data(), piece.size()) : 0;
    if (n <= 0) {
      if (!last) std::this_thread::sleep_for(kReadAgain);
      continue;
    }
    const auto seen = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - power_on_);
    rest.append(piece.data(), static_cast<std::size_t>(n));
    for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
      lines_.push_back({seen, rest.substr(0, end)});
      rest.erase(0, end + 1);
      if (std::string panic = pool::panic_in(lines_.back().text); !panic.empty()) {
        const std::lock_guard lock(guard_);
        if (panic_.empty()) panic_ = std::move(panic);
      }
    }
  }
}

}  // namespace weir::boot_check
