#pragma once

#include <string>
#include <string_view>

#include "manifests/base/digest.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"

namespace weir::pool {

/// A file in memory that is written once and then sealed.
class MemoryFile {
 public:
  /// `name` shows in /proc/PID/fd. errors: io
  static Result<MemoryFile> make(const std::string& name);
  /// Appends. errors: exhausted (memory), io
  Status write(Bytes bytes);
  /// Seals it against every change (F_SEAL_WRITE, SHRINK, GROW, SEAL) and hands it over.
  Result<Fd> seal() &&;

 private:
  explicit MemoryFile(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

[[nodiscard]] Result<Fd> make_sealed_file(const std::string& name, std::string_view content);

}  // namespace weir::pool
