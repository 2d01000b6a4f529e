#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir {

/// An open file descriptor, closed when it goes. Always made with O_CLOEXEC.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

/// errors: not_found; exhausted: larger than `limit`; io. Each names the path.
[[nodiscard]] Result<std::string> read_file(const std::string& path, ByteCount limit);

/// What of a written file has reached the disk when `write_file` returns.
enum class Durability : std::uint8_t {
  none,     ///< nothing: for what can be made again, and is checked when it is read
  content,  ///< the bytes, so that the name never stands for others; the name after `sync_folder`
  whole,    ///< bytes and name
};

/// Makes `path` hold exactly `content`: temporary file beside it, fsync, rename, fsync of the
/// folder. A reader sees the old file or the new one, also after a power cut. `mode` as in chmod.
/// errors: io, exhausted (disk full); nothing is left behind, and what a killed writer of `path`
/// left is removed
[[nodiscard]] Status write_file(const std::string& path, std::string_view content,
                                unsigned mode = 0644, Durability durability = Durability::whole);

/// Makes the names in a folder outlive a power cut. errors: io
[[nodiscard]] Status sync_folder(const std::string& path);

/// Creates the folder and its parents where they are missing.
[[nodiscard]] Status make_folders(const std::string& path, unsigned mode = 0755);

/// An exclusive lock on a file for as long as the object lives. errors: busy, naming the holder's
/// pid
[[nodiscard]] Result<Fd> lock_file(const std::string& path);

}  // namespace weir
