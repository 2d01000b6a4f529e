#pragma once

#include <dirent.h>

#include <memory>
#include <string>

namespace weir {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

/// A folder that is being listed with readdir(3).
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

/// Null where it cannot be listed: then errno says why.
[[nodiscard]] inline OpenFolder open_folder(const std::string& path) {
  return OpenFolder(::opendir(path.c_str()));
}

}  // namespace weir
