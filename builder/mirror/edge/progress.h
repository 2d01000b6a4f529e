#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "builder/mirror/edge/download.h"

namespace weir::builder {

/// Tells a person on stderr what takes long: on a terminal one line that is written over, elsewhere
/// a line every ten seconds. What is done within two seconds is not mentioned.
class Progress {
 public:
  Progress();
  ~Progress();  ///< ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Begins a step: "reading package indices".
  void step(std::string_view what);
  /// How far the step is: "3 of 7 files, 12.0 MiB of 26.5 MiB".
  void detail(std::string_view text);
  /// A line that stays, also of what is done soon.
  void note(std::string_view text);
  /// For the fetchers.
  [[nodiscard]] DownloadObserver download_observer();

 private:
  void show();
  bool terminal_;
  bool shown_ = false;
  std::string step_, detail_;
  std::chrono::steady_clock::time_point began_, last_;
};

}  // namespace weir::builder
