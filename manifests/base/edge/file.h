#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "manifests/base/edge/fd.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir {

/// What a call said of a file: not_found, exhausted (a full disk), unauthorized or io, with its
/// path.
[[nodiscard]] tl::unexpected<Error> fail_file(const std::string& path, int sys);

/// Opens a file to read it, or says that it is none. Never waits: a pipe (also what a shell makes
/// of
/// `<(...)`), a socket, a device or a folder in a file's place is refused.
/// errors: not_found; unauthorized; invalid_input: not a regular file; io. Each names the path.
[[nodiscard]] Result<Fd> open_file(const std::string& path);

/// The same, and refused where `path` itself is a symbolic link.
[[nodiscard]] Result<Fd> open_file_nofollow(const std::string& path);

/// Whether an open file may hold a secret in clear: nobody but its owner may read or write it, and
/// the owner is root or whoever runs this.
/// errors: unauthorized: loose mode or another owner, with what to do about it; io
[[nodiscard]] Status check_secret_file(const Fd& file, const std::string& path);

/// What becomes of the bytes that a file has when it is opened to be written to.
enum class Existing : std::uint8_t { kept, emptied };

/// Opens a file to append to it, a log; makes it where it is missing. Never waits, and refuses what
/// is no file, as `open_file` does.
[[nodiscard]] Result<Fd> open_log_file(const std::string& path, Existing existing,
                                       unsigned mode = 0600);

/// errors: as `open_file`; exhausted: larger than `limit`. Each names the path.
[[nodiscard]] Result<std::string> read_file(const std::string& path, ByteCount limit);

/// The same from an open file; `path` is for errors.
[[nodiscard]] Result<std::string> read_file(const Fd& file, const std::string& path,
                                            ByteCount limit);

/// The same of a secret (see `check_secret_file`). The caller wipes what it got.
[[nodiscard]] Result<std::string> read_secret_file(const std::string& path, ByteCount limit);

/// What of a written file has reached the disk when `write_file` returns.
enum class Durability : std::uint8_t {
  none,     ///< nothing: for what can be made again, and is checked when it is read
  content,  ///< the bytes, so that the name never stands for others; the name after `sync_folder`
  whole,    ///< bytes and name
};

/// Makes `path` hold exactly `content`: temporary file beside it, fsync, rename, fsync of the
/// folder. A reader sees the old file or the new one, also after a power cut. `mode` as in chmod.
/// errors: not_found, unauthorized, io, exhausted (disk full); nothing is left behind, and what a
/// killed writer of `path` left is removed
[[nodiscard]] Status write_file(const std::string& path, std::string_view content,
                                unsigned mode = 0644, Durability durability = Durability::whole);

/// Makes the names in a folder outlive a power cut. errors: io
[[nodiscard]] Status sync_folder(const std::string& path);

/// Creates the folder and its parents where they are missing, for their owner whatever the umask;
/// an unfinished one that an interrupted process has removed stays away (unfinished.h).
[[nodiscard]] Status make_folders(const std::string& path, unsigned mode = 0755);

/// An exclusive lock on a file for as long as the object lives. errors: busy, naming the holder's
/// pid
[[nodiscard]] Result<Fd> lock_file(const std::string& path);

}  // namespace weir
