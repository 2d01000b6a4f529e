#pragma once

#include <mutex>
#include <string>
#include <string_view>

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

/// A new file that holds all of `content`, synced to the disk, to be renamed to `path`: what
/// `write_file` does before it gives the name. errors: as make_unfinished_file, exhausted also of a
/// full disk; nothing is left behind
[[nodiscard]] Result<Unfinished> write_unfinished_file(const std::string& path,
                                                       std::string_view content,
                                                       unsigned mode = 0644,
                                                       Durability durability = Durability::whole);

/// Gives it its name, in place of what has that name now. 0 or an errno: then it stays unfinished.
[[nodiscard]] int finish_unfinished(const Unfinished& made, const std::string& path);

/// The same, but what has that name now gets the unfinished one, whether file or symbolic link; a
/// second call puts it back. 0 or an errno: ENOENT where nothing has that name, EINVAL or ENOSYS
/// where the file system cannot exchange names (renameat2(2)).
[[nodiscard]] int exchange_unfinished(const Unfinished& made, const std::string& path);

/// Gives what has the name `path` the unfinished one, in place of what was made. 0 or an errno
[[nodiscard]] int withdraw_to_unfinished(const Unfinished& made, const std::string& path);

/// Removes all that killed writers of this user left in a folder, whatever it was for.
void sweep_unfinished(const std::string& folder);

/// Removes all that this process has begun and not finished, for its end: from then on whoever
/// begins or finishes something waits for ever.
void remove_begun();

/// While one lives, `remove_begun` waits: for steps that only together leave something whole.
class Uninterrupted {
 public:
  Uninterrupted();

 private:
  std::lock_guard<std::recursive_mutex> hold_;
};

}  // namespace weir
