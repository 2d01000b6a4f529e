#pragma once

#include <string>

namespace weir {

/// Gives the owner what a umask took of `mode` from a file or folder that was just made: what Weir
/// makes for itself it can use. Group and others have what the umask left them. Returns the errno,
/// or 0.
///
/// fd    open, of a file of this user's; another one's is left as it is
/// path  a folder's, which may be closed to everybody; no link is followed
[[nodiscard]] int grant_to_owner(int fd, unsigned mode);
[[nodiscard]] int grant_to_owner(const std::string& path, unsigned mode);

}  // namespace weir
