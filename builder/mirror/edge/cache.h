#pragma once

#include <string>
#include <string_view>

#include "manifests/base/digest.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// The folder of everything that was fetched: `blobs/sha256/HEX` by content, `partial/` for what is
/// on its way. Blobs are hashed again whenever they are used. Several builders may share one.
class Cache {
 public:
  /// Removes what killed builders left and nobody can continue. errors: io, unauthorized; each
  /// names the folder
  static Result<Cache> open_or_create(const std::string& path);
  /// For plans: nothing is made or removed, and a folder that is missing holds nothing.
  /// errors: it could not be made, or written to: as check_folders
  static Result<Cache> open_for_plan(const std::string& path);
  /// $XDG_CACHE_HOME/weir, or ~/.cache/weir. errors: not_found: neither variable is set
  static Result<std::string> default_path();

  [[nodiscard]] std::string blob_path(const Digest& digest) const;
  [[nodiscard]] std::string partial_path(const Digest& digest) const;
  /// Puts bytes in under their digest.
  Status put(const Digest& digest, std::string_view bytes) const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit Cache(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// An open file whose size and SHA-256 were found to be the promised ones. The descriptor is
/// read-only and at offset 0; use pread, or seek.
class FetchedBlob {
 public:
  /// Hashes the cached blob. errors: not_found; integrity: the cached file was damaged (it is
  /// removed, so the next fetch brings it again); io
  static Result<FetchedBlob> open(const Cache& cache, const Digest& digest, ByteCount size);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const Digest& digest() const { return digest_; }
  [[nodiscard]] ByteCount size() const { return size_; }
  /// All of it. errors: io
  [[nodiscard]] Result<std::string> read() const;

 private:
  FetchedBlob(Fd fd, const Digest& digest, ByteCount size)
      : fd_(std::move(fd)), digest_(digest), size_(size) {}
  Fd fd_;
  Digest digest_;
  ByteCount size_;
};

/// A cached blob in memory: what is returned is what was hashed. errors: as FetchedBlob::open
[[nodiscard]] Result<std::string> read_blob(const Cache& cache, const Digest& digest,
                                            ByteCount size);

}  // namespace weir::builder
