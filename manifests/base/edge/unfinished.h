#pragma once

#include <string>

#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"

namespace weir {

/// Something beside its destination that gets the destination's name when it is whole:
/// PATH.unfinished.XXXXXX. It is locked for as long as `fd` is open; the kernel lets go of that
/// when a process is killed, so what nobody holds is known to be nobody's, and goes the next time
/// that something is made for the same destination.
struct Unfinished {
  Fd fd;
  std::string path;
};

/// A new, empty file of mode 0600, to be renamed to or linked at `path`; what killed writers of
/// `path` left is removed. errors: the errno of mkostemp, as exhausted, not_found, unauthorized, io
[[nodiscard]] Result<Unfinished> make_unfinished_file(const std::string& path);

/// The same for a folder, of mode 0700.
[[nodiscard]] Result<Unfinished> make_unfinished_folder(const std::string& path);

/// Removes all that killed writers left in a folder, whatever it was for.
void sweep_unfinished(const std::string& folder);

}  // namespace weir
