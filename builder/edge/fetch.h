#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "builder/edge/mirror.h"
#include "manifests/edge/file.h"
#include "manifests/lock.h"
#include "manifests/result.h"

namespace weir::builder {

/// The folder of everything that was fetched: `blobs/sha256/HEX` by content, `partial/` for what is
/// on its way. Blobs are hashed again whenever they are used. Several builders may share one.
class Cache {
 public:
  /// errors: io, unauthorized; each names the folder
  static Result<Cache> open_or_create(const std::string& path);
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

 private:
  FetchedBlob(Fd fd, const Digest& digest, ByteCount size)
      : fd_(std::move(fd)), digest_(digest), size_(size) {}
  Fd fd_;
  Digest digest_;
  ByteCount size_;
};

/// A package of a lock and its .deb, whose digest and size are those of the lock.
class FetchedPackage {
 public:
  /// errors: as FetchedBlob::open, naming package and version
  static Result<FetchedPackage> open(const Cache& cache, const manifests::LockedPackage& package);

  [[nodiscard]] const manifests::LockedPackage& package() const { return package_; }
  [[nodiscard]] const FetchedBlob& deb() const { return deb_; }

 private:
  FetchedPackage(manifests::LockedPackage package, FetchedBlob deb)
      : package_(std::move(package)), deb_(std::move(deb)) {}
  manifests::LockedPackage package_;
  FetchedBlob deb_;
};

struct FetchProgress {
  std::size_t packages_done = 0, packages_total = 0;
  ByteCount bytes_done, bytes_total;  ///< of what has to come from the mirror
};

/// Called at most ten times a second and once at the end.
using FetchObserver = std::function<void(const FetchProgress&)>;

/// Brings all packages of a lock into the cache and opens them, in the order of `packages`.
///
/// mirrors  asked only for packages that the cache lacks
/// errors   not_found: a package is neither in the cache nor on the mirror: names package and
/// version
///          and says to lock again; integrity: the mirror serves other bytes than the lock
///          promises; io: the mirror cannot be reached (after retries); what was fetched stays in
///          the cache, and partial files are resumed the next time
[[nodiscard]] Result<std::vector<FetchedPackage>> fetch_packages(
    const std::vector<manifests::LockedPackage>& packages, const Mirrors& mirrors,
    const Cache& cache, const FetchObserver& observer);

/// weir-init or weir-node of a lock, from the cache (`lock` put them there), else from `folder`.
/// errors: not_found, integrity: the program in `folder` is not the locked one: says to lock again
[[nodiscard]] Result<FetchedBlob> fetch_program(const manifests::LockedProgram& program,
                                                const std::string& folder, const Cache& cache);

}  // namespace weir::builder
