#include "manifests/base/edge/scratch_folder.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace weir {

Result<ScratchFolder> ScratchFolder::make(const std::string& path) {
  TRY_ASSIGN(Unfinished made, make_unfinished_folder(path));
  return ScratchFolder(std::move(made));
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : made_(std::exchange(other.made_, {})) {}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!made_.path.empty()) std::filesystem::remove_all(made_.path, ignored);
}

}  // namespace weir
