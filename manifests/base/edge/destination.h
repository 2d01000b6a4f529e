#pragma once

#include <string>

#include "manifests/base/result.h"

namespace weir {

/// Whether a file can be put at `path`, without doing it: for plans, and before long work.
///
/// errors   not_found: the folder it would lie in is missing; unauthorized: that may not be written
///          to; invalid_input: something that is no file is there, such as a folder or a device,
///          which a rename would replace, or it would lie in a file system of the kernel (/proc,
///          /sys). Each names the path
[[nodiscard]] Status check_destination(const std::string& path);

/// The same for a new folder: what may be at `path` is the caller's to say.
[[nodiscard]] Status check_folder_of(const std::string& path);

/// Whether `make_folders` would make `path`, or it is there, and something can be put into it.
/// errors: as above; each names the path or the folder around it that is in the way
[[nodiscard]] Status check_folders(const std::string& path);

}  // namespace weir
