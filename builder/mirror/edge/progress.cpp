#include "builder/mirror/edge/progress.h"

#include <unistd.h>

#include <cstdio>

#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kQuiet{2};

}  // namespace

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1), began_(Clock::now()), last_() {}

Progress::~Progress() {
  if (terminal_ && shown_) std::fputs("\r\033[K", stderr);
}

void Progress::step(std::string_view what) {
  step_ = what;
  detail_.clear();
  show();
}

void Progress::detail(std::string_view text) {
  detail_ = text;
  show();
}

void Progress::show() {
  const auto now = Clock::now();
  if (now - began_ < kQuiet) return;
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  if (shown_ && now - last_ < pause) return;
  last_ = now;
  shown_ = true;
  const char* form = terminal_ ? "\r\033[K%s%s%s" : "%s%s%s\n";
  std::fprintf(stderr, form, printable(step_).c_str(), detail_.empty() ? "" : ": ",
               printable(detail_).c_str());
}

void Progress::note(std::string_view text) {
  std::fprintf(stderr, "%s%s\n", terminal_ && shown_ ? "\r\033[K" : "", printable(text).c_str());
  last_ = {};
}

DownloadObserver Progress::download_observer() {
  return {[this](const DownloadProgress& progress) {
            detail(std::to_string(progress.files_done) + " of " +
                   std::to_string(progress.files_total) + " files, " + print(progress.bytes_done) +
                   " of " + print(progress.bytes_total));
          },
          [this](const std::string& text) { note(text); }};
}

}  // namespace weir::builder
