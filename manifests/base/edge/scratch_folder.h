#pragma once

#include <string>

#include "manifests/base/edge/unfinished.h"
#include "manifests/base/result.h"

namespace weir {

/// A folder to work in that goes, with all that is in it, when the object does, or when this
/// process is interrupted; that of a process that was killed goes with the next one for the same
/// path.
class ScratchFolder {
 public:
  /// path     what it is made beside: PATH.unfinished.XXXXXX
  /// errors   as `make_unfinished_folder`
  static Result<ScratchFolder> make(const std::string& path);
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();
  [[nodiscard]] const std::string& path() const { return made_.path; }

 private:
  explicit ScratchFolder(Unfinished made) : made_(std::move(made)) {}
  Unfinished made_;
};

}  // namespace weir
